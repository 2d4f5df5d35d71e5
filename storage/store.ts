/**
 * The port to where bytes live. Paths are relative, `/`-separated, and can't leave the store's root.
 * A file appears whole or not at all; `ifAbsent` lets exactly one of several writers win, which is what
 * every commit point of a batch is built on. Implementations throw `StorageError` and nothing else (but
 * the abort reason of a signal).
 */
export interface Store {
  /** `file:///…` or `s3://…`, without a trailing slash. */
  readonly uri: string;
  /** URI of one file, for people and manifests. */
  uriOf(path: string): string;
  /** The random id in `store.json`, created on first use: tells two stores of the same name apart. */
  identity(): Promise<string>;
  stat(path: string): Promise<StoreFile | null>;
  /** Streams bytes `[start, end)` of a file; StorageMismatch when it does not exist. */
  read(path: string, range?: ReadRange): AsyncIterable<Uint8Array>;
  /** A whole small file, or null when it does not exist. Refuses files over 16 MiB. */
  readSmall(path: string): Promise<Uint8Array | null>;
  openWriter(path: string, options?: WriteOptions): Promise<StoreWriter>;
  /** A whole small file at once. `created` is false when `ifAbsent` found another one. */
  writeSmall(path: string, content: string | Uint8Array, options?: WriteOptions): Promise<WrittenFile>;
  /** Files under a folder, recursively, sorted by path; unfinished temporary files are not among them. */
  list(prefix: string): AsyncIterable<StoreFile>;
  /** Removes a file; one that does not exist is fine. */
  remove(path: string): Promise<void>;
  /** Gives a file another name, in one step; false when it does not exist. What has that name is replaced. */
  move(path: string, to: string): Promise<boolean>;
  /**
   * Removes what killed writers left under a folder and in the root itself, never what a live one is writing. Returns
   * how many files.
   */
  removeUnfinished(prefix: string): Promise<number>;
}

export interface ReadRange {
  readonly start?: number;
  readonly end?: number;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  /** Create only; an existing file stays as it is. */
  readonly ifAbsent?: boolean;
  /** Readable by the owner alone (mode 0600); for excerpts of provider errors. */
  readonly secret?: boolean;
}

export interface StoreFile {
  readonly path: string;
  readonly bytes: number;
  /** Unix time in milliseconds. */
  readonly modifiedAt: number;
}

export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
  /** False when `ifAbsent` was set and the file existed: what was written is discarded. */
  readonly created: boolean;
}

/** Whole and on the disk, under no name yet. One that is neither published nor discarded is an unfinished file. */
export interface SealedFile {
  readonly bytes: number;
  readonly sha256: string;
  /** False when `ifAbsent` found another file: this one stays sealed. */
  publish(options?: Pick<WriteOptions, 'ifAbsent'>): Promise<boolean>;
  /** Publishes what stays sealed all the same, to be published once more. */
  publishAndKeep(): Promise<void>;
  /** What was published, and not kept, is not touched. */
  discard(): Promise<void>;
}

/** Bytes become visible under the path at `commit`, or never. Hashed on the way. */
export interface StoreWriter {
  readonly bytes: number;
  /** Resolves when more may be written (back-pressure). */
  write(chunk: string | Uint8Array): Promise<void>;
  commit(): Promise<WrittenFile>;
  /** Ends the writing as `commit` does, but leaves it open whether the file gets its name. */
  seal(): Promise<SealedFile>;
  /** Removes what was written; may be called after `commit`, then it does nothing. */
  abort(): Promise<void>;
}
