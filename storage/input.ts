import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { StorageError } from './errors.js';
import { errorCode, toStorageError } from './file-errors.js';
import { openRegularFile, readFileChunks } from './file-read.js';
import { gunzip, isGzipError } from './gunzip.js';
import { isInside, realPathOfExisting } from './store-path.js';
import type { Store } from './store.js';
import { parseFileLocation, schemeOf } from './uri.js';

export interface InputPlaces {
  /** Absolute paths of the folders that inputs may be read from (`LONGHAUL_FILE_ROOTS`). */
  readonly roots: readonly string[];
  /** Files in the store may always be read. */
  readonly store: Store;
}

export interface Input {
  /** Size of the file as it lies there, compressed or not. */
  readonly bytes: number;
  /** The content from the beginning, decompressed if the name ends in `.gz`; any number of times. */
  stream(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** The bytes as they lie there: what `hashInput` hashes. */
  raw(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

interface RawInput {
  readonly bytes: number;
  readonly read: (signal?: AbortSignal) => AsyncIterable<Uint8Array>;
}

/**
 * Opens what a user gave as input: a `file:///` URI or absolute path below one of the roots, or a file of the
 * store. Throws `InputNotAllowed` for other places and `InvalidInput` for what can't be read, and streams
 * throw `InvalidInput` for a broken `.gz`.
 */
export async function openInput(uri: string, places: InputPlaces): Promise<Input> {
  const scheme = schemeOf(uri);
  const { bytes, read } =
    scheme === null || scheme === 'file' ? await openFile(uri, places) : await openInStore(uri, places.store);
  return {
    bytes,
    raw: read,
    stream: (signal) => (/\.gz$/i.test(uri) ? decompress(uri, read(signal)) : read(signal)),
  };
}

/** SHA-256 (hex) and size of an input file as it lies there. `input`: a `file:///` URI or a path. */
export async function hashInput(
  input: string,
  options: { signal?: AbortSignal } = {},
): Promise<{ sha256: string; bytes: number }> {
  const isUri = /^(?:file:|[a-z][a-z0-9+.-]*:\/\/)/i.test(input);
  const location = parseLocation(isUri ? input : resolve(input));
  const { path } = await attempt(input, () => realPathOfExisting(location));
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of readInputFile(path, input, options.signal)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function openFile(uri: string, { roots, store }: InputPlaces): Promise<RawInput> {
  const location = parseLocation(uri);
  const storeRoot = schemeOf(store.uri) === 'file' ? [parseLocation(store.uri)] : [];
  const allowed = [...roots, ...storeRoot];
  const path = await attempt(uri, async () => {
    const real = await realPathOfExisting(location).catch(async (error: unknown) => {
      // Before anything is said about the file itself: whether it is there is no business of who may not read it.
      if (!(await isAllowed(location, allowed))) throw notAllowed(uri, roots);
      throw error;
    });
    if (!(await isAllowed(real.path, allowed))) throw notAllowed(uri, roots);
    return real.path;
  });
  const bytes = await attempt(uri, () => sizeOf(path));
  return { bytes, read: (signal) => readInputFile(path, uri, signal) };
}

async function openInStore(uri: string, store: Store): Promise<RawInput> {
  const path = pathInStore(uri, store);
  if (path === null) {
    const message = `${uri} is neither a file nor in this store (${store.uri}). Give an absolute path or file:///path, or put the input into the store.`;
    throw new StorageError('InputNotAllowed', uri, message);
  }
  const file = await store.stat(path);
  if (file === null) throw invalid(uri, 'it does not exist');
  return { bytes: file.bytes, read: (signal) => store.read(path, signal === undefined ? {} : { signal }) };
}

function pathInStore(uri: string, store: Store): string | null {
  if (!uri.startsWith(`${store.uri}/`)) return null;
  try {
    const path = decodeURIComponent(uri.slice(store.uri.length + 1));
    // Only the spelling that the store itself uses: other ones could hide another path.
    return store.uriOf(path) === uri ? path : null;
  } catch {
    return null;
  }
}

async function isAllowed(path: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const real = await realPathOfExisting(folder).catch(() => null);
    // A folder that can't be looked at opens nothing, and closes none of the others.
    if (real?.exists === true && isInside(real.path, path)) return true;
  }
  return false;
}

function notAllowed(uri: string, roots: readonly string[]): StorageError {
  const allowed = roots.length === 0 ? 'none are set' : roots.join(', ');
  const message = `${uri} is not in a folder that workers may read inputs from (${allowed}). Add its folder to LONGHAUL_FILE_ROOTS of the worker, or put the input into the store.`;
  return new StorageError('InputNotAllowed', uri, message);
}

async function sizeOf(path: string): Promise<number> {
  const { handle, bytes } = await openRegularFile(path);
  await handle.close();
  return bytes;
}

async function* readInputFile(path: string, uri: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* readFileChunks(path, signal === undefined ? {} : { signal });
  } catch (error) {
    throw inputError(uri, error);
  }
}

async function* decompress(uri: string, compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* gunzip(compressed);
  } catch (error) {
    if (!isGzipError(error)) throw error;
    const message = `${uri} is not a whole gzip file (${error.message}). Compress it again, or give the file without .gz.`;
    throw new StorageError('InvalidInput', uri, message, { cause: error });
  }
}

function parseLocation(text: string): string {
  const parsed = parseFileLocation(text);
  if (parsed.ok) return parsed.path;
  throw invalid(text, parsed.reason);
}

async function attempt<T>(uri: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw inputError(uri, error);
  }
}

/** What a user can put right about an input, as opposed to a disk that fails. */
const USER_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist: a part of its path is a file',
  EISDIR: 'it is a directory; give one file',
  EFTYPE: 'it is not a regular file; write its content to a file first',
  ENXIO: 'it is not a regular file; write its content to a file first',
  EACCES: 'permission is denied; give this user read rights',
  EPERM: 'permission is denied; give this user read rights',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

function inputError(uri: string, error: unknown): Error {
  const reason = USER_REASONS[errorCode(error) ?? ''];
  if (reason !== undefined) return invalid(uri, reason, error);
  if (errorCode(error) === 'EMOVED') {
    const message = `${uri} was moved while it was read: a folder on the way to it is another one now. Start again when nobody changes it.`;
    return new StorageError('InputNotAllowed', uri, message, { cause: error });
  }
  return toStorageError(error, { action: 'read', path: uri, place: 'the input’s folder' });
}

function invalid(uri: string, reason: string, cause?: unknown): StorageError {
  return new StorageError('InvalidInput', uri, `Can't read the input ${uri}: ${reason}.`, { cause });
}
