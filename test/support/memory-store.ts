import { createHash } from 'node:crypto';
import { StorageError } from '../../storage/errors.js';
import type { Store, StoreWriter, WriteOptions, WrittenFile } from '../../storage/store.js';

/** A store without a disk, for tests that run activities by the thousand. */
export function memoryStore(): Store & { readonly files: ReadonlyMap<string, Buffer> } {
  const files = new Map<string, Buffer>();
  const put = (path: string, content: Buffer, options: WriteOptions = {}): WrittenFile => {
    const created = options.ifAbsent !== true || !files.has(path);
    if (created) files.set(path, content);
    return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex'), created };
  };
  const uriOf = (path: string) => `memory:///${path}`;
  return {
    files,
    uri: 'memory://',
    uriOf,
    identity: () => Promise.resolve('memory'),
    stat: (path) => {
      const file = files.get(path);
      return Promise.resolve(file === undefined ? null : { path, bytes: file.length, modifiedAt: 0 });
    },
    read: async function* (path, { start = 0, end } = {}) {
      const file = files.get(path);
      if (file === undefined)
        throw new StorageError('StorageMismatch', path, `${uriOf(path)} does not exist`);
      const content = file.subarray(start, end);
      // In two pieces, so that lines are cut between chunks.
      const middle = Math.floor(content.length / 2);
      for (const piece of [content.subarray(0, middle), content.subarray(middle)]) {
        if (piece.length > 0) yield piece;
      }
    },
    readSmall: (path) => Promise.resolve(files.get(path) ?? null),
    openWriter: (path, options) => Promise.resolve(writer((content, at = options) => put(path, content, at))),
    writeSmall: (path, content, options) => Promise.resolve(put(path, Buffer.from(content), options)),
    list: async function* (prefix) {
      for (const path of [...files.keys()].toSorted()) {
        if (path.startsWith(`${prefix}/`)) yield { path, bytes: files.get(path)?.length ?? 0, modifiedAt: 0 };
      }
    },
    remove: (path) => {
      files.delete(path);
      return Promise.resolve();
    },
    move: (path, to) => {
      const file = files.get(path);
      if (file === undefined) return Promise.resolve(false);
      files.delete(path);
      files.set(to, file);
      return Promise.resolve(true);
    },
    removeUnfinished: () => Promise.resolve(0),
  };
}

function writer(commit: (content: Buffer, options?: WriteOptions) => WrittenFile): StoreWriter {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write: (chunk) => {
      const piece = Buffer.from(chunk);
      chunks.push(piece);
      bytes += piece.length;
      return Promise.resolve();
    },
    commit: () => Promise.resolve(commit(Buffer.concat(chunks))),
    seal: () => {
      const content = Buffer.concat(chunks);
      return Promise.resolve({
        bytes,
        sha256: createHash('sha256').update(content).digest('hex'),
        publishAndKeep: () => Promise.resolve(void commit(content)),
        publish: (options = {}) => Promise.resolve(commit(content, options).created),
        discard: () => Promise.resolve(),
      });
    },
    abort: () => Promise.resolve(),
  };
}
