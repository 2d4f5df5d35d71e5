import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';

import type { StoredFile } from './stored-file.js';

/** All files of all workspaces. An expired file is gone as if it had been deleted. */
export class FileStore {
  readonly #files = new Map<string, StoredFile>();
  /** How many lists have lacked a file so far. */
  readonly #hiddenLists = new Map<string, number>();
  readonly #now: () => number;
  /** No file expires before. */
  #nextExpiry = Infinity;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(file: Omit<StoredFile, 'id'>): StoredFile {
    const stored = { id: randomUUID(), ...file };
    this.#files.set(stored.id, stored);
    this.#nextExpiry = Math.min(this.#nextExpiry, stored.expiresAt ?? Infinity);
    return stored;
  }

  get(workspace: string, id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    return file?.workspace === workspace && !this.#isExpired(file) ? file : undefined;
  }

  /** A file by id alone, for links that carry their own proof. */
  getAny(id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    return file !== undefined && !this.#isExpired(file) ? file : undefined;
  }

  /** Newest first. Counts as a list: a file that the first few lack comes nearer to being shown. */
  list(workspace: string): readonly StoredFile[] {
    return [...this.#files.values()]
      .filter((file) => file.workspace === workspace && !this.#isExpired(file))
      .filter((file) => !this.#isHidden(file))
      .toReversed();
  }

  /** Readers that have the file open read on to its end. */
  async delete(file: StoredFile): Promise<void> {
    this.#files.delete(file.id);
    this.#hiddenLists.delete(file.id);
    await rm(file.path, { force: true });
  }

  /** Takes expired files off the disk: a `longhaul dev` may run for weeks. Asked at each request, it mostly has nothing to do. */
  async removeExpired(): Promise<void> {
    if (this.#now() < this.#nextExpiry) return;
    const files = [...this.#files.values()];
    const expired = files.filter((file) => this.#isExpired(file));
    const later = files.filter((file) => !this.#isExpired(file));
    this.#nextExpiry = later.reduce((next, { expiresAt }) => Math.min(next, expiresAt ?? Infinity), Infinity);
    await Promise.all(expired.map((file) => this.delete(file)));
  }

  async clear(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    this.#hiddenLists.clear();
    await Promise.all(files.map((file) => rm(file.path, { force: true })));
  }

  #isHidden({ id, createdAt, listLag }: StoredFile): boolean {
    if (listLag === null) return false;
    if (listLag.ms !== null && this.#now() < createdAt + listLag.ms) return true;
    const soFar = this.#hiddenLists.get(id) ?? 0;
    if (listLag.calls === null || soFar >= listLag.calls) return false;
    this.#hiddenLists.set(id, soFar + 1);
    return true;
  }

  #isExpired(file: StoredFile): boolean {
    return file.expiresAt !== null && this.#now() >= file.expiresAt;
  }
}
