import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseJson } from '../batch/json-text.js';
import { StorageError } from './errors.js';
import { isMissing, toStorageError } from './file-errors.js';
import { openRegularFile, readFileChunks } from './file-read.js';
import { openFileWriter } from './file-writer.js';
import { removeStaleTemps } from './stale-temp.js';
import { checkStorePath, resolveFolderInside, resolveInside, TEMP_PREFIX } from './store-path.js';
import type { ReadRange, Store, StoreFile, StoreWriter, WriteOptions, WrittenFile } from './store.js';
import { FolderMaker, syncFolder } from './sync-folder.js';
import { formatFileUri, parseFileLocation } from './uri.js';

const MAX_SMALL_BYTES = 16 * 1024 * 1024;
const IDENTITY_PATH = 'store.json';

/** A store in a folder. `location` is a `file:///` URI or an absolute path; the folder is created on first use. */
export function openFileStore(location: string): Store {
  const parsed = parseFileLocation(location);
  if (parsed.ok) return new FileStore(parsed.path);
  const message = `${location} is no place for a store: ${parsed.reason}. Use an absolute path or file:///path.`;
  throw new StorageError('InvalidInput', location, message);
}

class FileStore implements Store {
  readonly uri: string;
  readonly #root: string;
  readonly #folders = new FolderMaker();

  constructor(root: string) {
    this.#root = root;
    this.uri = formatFileUri(root);
  }

  uriOf(path: string): string {
    checkStorePath(path, this.uri);
    return formatFileUri(join(this.#root, path));
  }

  async identity(): Promise<string> {
    // Read anew each time: a store that is lost or replaced while a worker runs must be noticed.
    const found = await this.readSmall(IDENTITY_PATH);
    if (found !== null) return parseIdentity(found, this.uri);
    const id = randomUUID();
    const content = `${JSON.stringify({ id, version: 1 })}\n`;
    const { created } = await this.writeSmall(IDENTITY_PATH, content, { ifAbsent: true });
    return created ? id : this.identity();
  }

  async stat(path: string): Promise<StoreFile | null> {
    return this.#attempt('look at', path, async () => {
      const info = await unlessMissing(async () => lstat(await this.#resolve(path)));
      if (info === null || info.isDirectory()) return null;
      if (info.isFile()) return { path, bytes: info.size, modifiedAt: info.mtimeMs };
      throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EFTYPE' });
    });
  }

  async *read(path: string, range?: ReadRange): AsyncGenerator<Uint8Array> {
    try {
      yield* readFileChunks(await this.#resolve(path), range);
    } catch (error) {
      throw this.#failure('read', path, error);
    }
  }

  async readSmall(path: string): Promise<Uint8Array | null> {
    return this.#attempt('read', path, () => unlessMissing(() => this.#readWhole(path)));
  }

  openWriter(path: string, options?: WriteOptions): Promise<StoreWriter> {
    return this.#openWriter(path, options);
  }

  async writeSmall(path: string, content: string | Uint8Array, options?: WriteOptions): Promise<WrittenFile> {
    const writer = await this.#openWriter(path, options, Buffer.byteLength(content));
    try {
      await writer.write(content);
      return await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<StoreFile> {
    const folder = prefix.replace(/\/$/, '');
    try {
      if (folder === '') yield* this.#walk('', this.#root);
      else {
        checkStorePath(folder, this.uri);
        const target = await unlessMissing(() => resolveFolderInside(this.#root, folder, this.uri));
        if (target !== null) yield* this.#walk(`${folder}/`, target);
      }
    } catch (error) {
      throw this.#failure('list', folder === '' ? '.' : folder, error);
    }
  }

  async remove(path: string): Promise<void> {
    const removeIt = async () => {
      const target = await this.#resolve(path);
      await unlink(target);
      await syncFolder(dirname(target));
    };
    await this.#attempt('remove', path, () => unlessMissing(removeIt));
  }

  async move(path: string, to: string): Promise<boolean> {
    const moveIt = async () => {
      const [source, target] = [await this.#resolve(path), await this.#resolve(to)];
      await this.#folders.make(this.#root, dirname(join(this.#root, to)));
      await rename(source, target);
      await syncFolder(dirname(target));
      await syncFolder(dirname(source));
      return true;
    };
    return (await this.#attempt('move', path, () => unlessMissing(moveIt))) ?? false;
  }

  removeUnfinished(prefix: string): Promise<number> {
    return removeStaleTemps(this.#root, prefix);
  }

  async #readWhole(path: string): Promise<Uint8Array> {
    const { handle, bytes } = await openRegularFile(await this.#resolve(path));
    try {
      if (bytes <= MAX_SMALL_BYTES) return await handle.readFile();
    } finally {
      await handle.close();
    }
    const message = `${path} in ${this.uri} has ${bytes} bytes, more than a file of this kind ever has (${MAX_SMALL_BYTES}). It was not written by Longhaul: restore it.`;
    throw new StorageError('StorageMismatch', path, message);
  }

  async #openWriter(path: string, options?: WriteOptions, expectedBytes?: number): Promise<StoreWriter> {
    return this.#attempt('write', path, async () => {
      const target = await this.#resolve(path);
      await this.#folders.make(this.#root, dirname(join(this.#root, path)));
      const operation = { action: 'write', path, place: this.uri, target };
      return openFileWriter(
        expectedBytes === undefined ? operation : { ...operation, expectedBytes },
        options,
      );
    });
  }

  /** Files in the order of their whole paths: a folder's files sort as if the folder's name ended in "/". */
  async *#walk(prefix: string, folder: string): AsyncGenerator<StoreFile> {
    for (const { key, entry } of await sortedEntries(folder)) {
      const path = prefix + entry.name;
      const target = join(folder, entry.name);
      if (entry.name.startsWith(TEMP_PREFIX)) continue;
      if (entry.isDirectory()) {
        yield* this.#walk(prefix + key, target);
      } else if (entry.isFile()) {
        const info = await unlessMissing(() => lstat(target));
        if (info !== null) yield { path, bytes: info.size, modifiedAt: info.mtimeMs };
      }
    }
  }

  async #resolve(path: string): Promise<string> {
    checkStorePath(path, this.uri);
    return resolveInside(this.#root, path, this.uri);
  }

  async #attempt<T>(action: string, path: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw this.#failure(action, path, error);
    }
  }

  #failure(action: string, path: string, error: unknown): Error {
    return toStorageError(error, { action, path, place: this.uri });
  }
}

async function sortedEntries(folder: string): Promise<{ key: string; entry: Dirent }[]> {
  const entries = (await unlessMissing(() => readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .map((entry) => ({ key: entry.isDirectory() ? `${entry.name}/` : entry.name, entry }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function unlessMissing<T>(operation: () => Promise<T>): Promise<T | null> {
  try {
    return await operation();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function parseIdentity(content: Uint8Array, place: string): string {
  const value = parseJson(Buffer.from(content).toString('utf8'));
  if (typeof value === 'object' && value !== null && 'id' in value && 'version' in value) {
    if (typeof value.id === 'string' && value.id !== '' && value.version === 1) return value.id;
  }
  const message = `${IDENTITY_PATH} in ${place} is not what Longhaul writes there ({"id", "version": 1}). Restore it, or use a newer Longhaul if one wrote it.`;
  throw new StorageError('StorageMismatch', IDENTITY_PATH, message);
}
