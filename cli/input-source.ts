import { createWriteStream } from 'node:fs';
import { access, constants, open, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NO_ROWS } from '../activities/input-issues.js';
import { codeOf, messageOf } from '../dev/errors.js';
import { readFileChunks } from '../storage/file-read.js';
import { gunzip, isGzipError } from '../storage/gunzip.js';
import { readLines } from '../storage/jsonl.js';
import { createScratch } from '../storage/scratch.js';
import { parseFileLocation, schemeOf } from '../storage/uri.js';
import { CliError } from './errors.js';

/** Where the rows of a command come from, looked at before anything is started. */
export interface InputSource {
  /** What the client is given: an absolute path or a URI. */
  readonly location: string;
  /** Folder that a worker of this machine has to read, links resolved; null for what lies in the store. */
  readonly folder: string | null;
  /** Stdin has no name of its own and nobody can read it twice: it is copied into the store. */
  readonly isStdin: boolean;
  /** Removes what was spooled. */
  dispose(): Promise<void>;
}

/** How workers tell a compressed input. */
const GZIP_NAME = /\.gz$/i;

const NOTHING = (): Promise<void> => Promise.resolve();

/**
 * @throws CliError (InvalidInput) for what can't be read, a directory, an empty file.
 */
export async function openInputSource(
  input: string,
  scratchDir: string,
  signal?: AbortSignal,
): Promise<InputSource> {
  if (input === '-') return spoolStdin(scratchDir, signal);
  const scheme = schemeOf(input);
  if (scheme !== null && scheme !== 'file' && /^[a-z][a-z0-9+.-]*:\/\//i.test(input)) {
    return { location: input, folder: null, isStdin: false, dispose: NOTHING };
  }
  const path = pathOf(input);
  await checkFile(input, path);
  // The worker is asked for the real file, so its folder is the real one too.
  const folder = dirname(await realpath(path));
  return { location: path, folder, isStdin: false, dispose: NOTHING };
}

/**
 * Finds at once what would cost a started server and a failed batch to find: nothing but blank lines, or a `.gz` that
 * is none. Reads to the first line that is not blank.
 * @throws CliError (InvalidInput)
 */
export async function assertHasRows(
  input: string,
  { location, folder, isStdin }: InputSource,
): Promise<void> {
  // What lies in the store is read by workers alone.
  if (folder === null && !isStdin) return;
  // Readers take real paths only; a user's own may lead over links.
  const bytes = readFileChunks(await realpath(location));
  const content = GZIP_NAME.test(location) ? gunzip(bytes) : bytes;
  try {
    for await (const lines of readLines(content, { maxLineBytes: 1 })) if (lines.length > 0) return;
  } catch (error) {
    // A file that breaks further on is for the worker to judge, which reads all of it.
    if (isGzipError(error)) throw invalid(input, `it is not a gzip file (${error.message})`);
    // Whoever may override permissions was told that it can be read, and a server or the kernel knows better.
    const reason = reasonOf(error);
    throw reason === undefined ? error : invalid(input, reason);
  }
  throw noRows(input);
}

export function noRows(input: string): CliError {
  return new CliError(`${input === '-' ? 'stdin' : input} ${NO_ROWS}`, { type: 'InvalidInput' });
}

function pathOf(input: string): string {
  // A variable that is not set, as in `run "$INPUT"`, would be the folder that one is in.
  if (input.trim() === '') throw new CliError('The input has no name; give a file, or - for stdin.');
  if (!/^file:/i.test(input)) return resolve(input);
  const parsed = parseFileLocation(input);
  if (parsed.ok) return parsed.path;
  throw invalid(input, parsed.reason);
}

async function checkFile(input: string, path: string): Promise<void> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw invalid(input, 'it is a directory; give one file');
    if (!info.isFile()) throw invalid(input, 'it is not a regular file; pipe it in: `… | longhaul run -`');
    await access(path, constants.R_OK);
    if (info.size === 0) throw invalid(input, 'it is empty');
    if (!GZIP_NAME.test(path) && (await look(path)) === 'gzip') {
      throw invalid(
        input,
        'it is compressed; give it a name that ends with .gz, or pipe it through `gunzip -c`',
      );
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw invalid(input, reasonOf(error) ?? messageOf(error));
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'it does not exist: a part of its path is a file'],
  ['EACCES', 'permission is denied; give this user read rights'],
  ['EPERM', 'permission is denied; give this user read rights'],
  ['ELOOP', 'its symbolic links lead in a circle'],
  ['ENAMETOOLONG', 'its name is too long'],
]);

function reasonOf(error: unknown): string | undefined {
  return REASONS.get(codeOf(error) ?? '');
}

async function spoolStdin(scratchDir: string, signal: AbortSignal | undefined): Promise<InputSource> {
  const scratch = await createScratch(scratchDir, 'stdin');
  const dispose = (): Promise<void> => scratch.dispose();
  const path = join(scratch.dir, 'stdin.jsonl');
  try {
    const file = createWriteStream(path, { mode: 0o600 });
    await pipeline(process.stdin, file, signal === undefined ? {} : { signal });
    await checkSpooled(path);
    return { location: path, folder: null, isStdin: true, dispose };
  } catch (error) {
    await dispose();
    throw signal?.aborted === true && signal.reason instanceof Error ? signal.reason : error;
  }
}

async function checkSpooled(path: string): Promise<void> {
  const content = await look(path);
  if (content === 'nothing') throw invalid('stdin', 'it is empty');
  if (content === 'gzip') throw invalid('stdin', 'it is compressed; pipe it through `gunzip -c` first');
}

/** What a file begins with; gzip by its magic number (RFC 1952, section 2.3.1), which is no UTF-8. */
async function look(path: string): Promise<'nothing' | 'gzip' | 'else'> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead === 0) return 'nothing';
    return buffer[0] === 0x1f && buffer[1] === 0x8b ? 'gzip' : 'else';
  } finally {
    await file.close();
  }
}

function invalid(input: string, reason: string): CliError {
  return new CliError(`Can't read the input ${input}: ${reason}.`, { type: 'InvalidInput' });
}
