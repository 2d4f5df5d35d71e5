import { hashing } from './hash.js';
import type { SealedFile, Store } from './store.js';

export interface ShardFile {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** An input cut into shards, all of it on the disk, but without names: whether it is the batch's is not decided here. */
export class SealedCut {
  readonly shards: ShardFile[] = [];
  readonly #files: { readonly path: string; readonly sealed: SealedFile }[] = [];

  add(path: string, sealed: SealedFile): void {
    this.#files.push({ path, sealed });
  }

  /**
   * Gives the files their names. What is there already is an earlier attempt's at the same cut, and stays; or that of a
   * version that named its shards before it was decided whose they are, and is replaced if it differs.
   */
  async publish(store: Store, onProgress: (files: number) => void): Promise<void> {
    let files = 0;
    for (const { path, sealed } of this.#files) {
      const isThere = !(await sealed.publish({ ifAbsent: true }));
      if (isThere && (await sha256Of(store, path)) !== sealed.sha256) await sealed.publish();
      files += 1;
      onProgress(files);
    }
    await this.discard();
  }

  async discard(): Promise<void> {
    for (const { sealed } of this.#files) await sealed.discard();
  }
}

async function sha256Of(store: Store, path: string): Promise<string> {
  const source = hashing(store.read(path));
  for await (const chunk of source.bytes) void chunk;
  return source.digest();
}
