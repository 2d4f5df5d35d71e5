import { randomBytes } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { codeOf, messageOf } from '../dev/errors.js';
import { parseFileLocation } from '../storage/uri.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';

/**
 * Whether a copy can be written there, asked before a batch is paid for. `input` is a path or a URI.
 * @throws CliError; also when it would overwrite the input, or a batch's own account in the store.
 */
export async function checkOutputPath(output: string, input: string | null, storeUri: string): Promise<void> {
  if (output === '-') {
    throw new CliError('--output names a file; `longhaul results <batch id>` prints results on stdout.');
  }
  if (output === '') throw new CliError('--output is empty; it needs the name of a file.');
  const path = resolve(output);
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist; create it first' : "can't be written to";
    throw new CliError(`--output ${output}: the folder ${folder} ${reason}.`);
  }
  if (await isFolder(path)) throw new CliError(`--output ${output} is a folder; name a file in it.`);
  if (input !== null && (await isSameFile(path, input))) {
    throw new CliError(`--output ${output} is the input itself; name another file.`);
  }
  if (await isInStore(folder, storeUri)) {
    throw new CliError(
      `--output ${output} lies in the store, among the batches' own files; name another file.`,
    );
  }
}

async function isInStore(folder: string, storeUri: string): Promise<boolean> {
  const store = parseFileLocation(storeUri);
  if (!store.ok) return false;
  try {
    const path = relative(await realpath(store.path), await realpath(folder));
    return path === '' || !(path.startsWith('..') || isAbsolute(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new CliError(`--output ${path} can't be used: ${messageOf(error)}.`);
  }
}

async function isSameFile(path: string, other: string): Promise<boolean> {
  try {
    const location = /^file:/i.test(other) ? parseFileLocation(other) : null;
    const otherPath = location?.ok === true ? location.path : other;
    return (await realpath(path)) === (await realpath(otherPath));
  } catch {
    return false;
  }
}

/** Writes the file whole or not at all: a reader, or a crash, finds the former content or the new one. */
export async function writeOutputFile(output: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const path = resolve(output);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (codeOf(error) === undefined) throw error;
    throw new CliError(
      `The results are safe in the store, but ${output} could not be written: ${messageOf(error)}. Try \`longhaul results <batch id> --output …\`.`,
      { type: 'OutputNotWritten', exitCode: EXIT.failed },
    );
  }
}
