import type { JobCounts, JobPhase } from '../batch/job-phase.js';

/**
 * The port to a batch provider. Implementations throw `ProviderError` and nothing else (but the abort
 * reason of a signal), keep their own time-outs, and never retry: one retry owner, Temporal, keeps
 * attempts visible and lets a create be looked for before it is sent again.
 */
export interface BatchProvider {
  readonly name: string;
  /** Origin of the base URL: part of a batch's fingerprint. */
  readonly origin: string;
  readonly capabilities: ProviderCapabilities;

  /** One list call: proves that the key may use the batch API. */
  checkAccount(options: CallOptions): Promise<void>;
  /** Jobs of all statuses whose metadata has each of these pairs, newest first, page by page. */
  listJobs(filter: JobFilter, options: CallOptions): AsyncIterable<RemoteJob>;
  /** Sends exactly one POST. */
  createJob(request: CreateJobRequest, options: CallOptions): Promise<RemoteJob>;
  getJob(jobId: string, options: CallOptions): Promise<RemoteJob>;
  /** Asks for cancellation; a job that has already ended is returned as it is. */
  cancelJob(jobId: string, options: CallOptions): Promise<RemoteJob>;
  /** A job that is gone already is fine. */
  deleteJob(jobId: string, options: CallOptions): Promise<void>;

  uploadFile(upload: FileUpload, options: CallOptions): Promise<RemoteFile>;
  /** Batch input files with exactly this name, oldest first. */
  findFiles(name: string, options: CallOptions): Promise<readonly RemoteFile[]>;
  listFiles(filter: FileFilter, options: CallOptions): AsyncIterable<RemoteFile>;
  getFile(fileId: string, options: CallOptions): Promise<RemoteFile>;
  /** A file that is gone already is fine. */
  deleteFile(fileId: string, options: CallOptions): Promise<void>;
  downloadFile(fileId: string, options: CallOptions): Promise<FileDownload>;
  fileUrl(fileId: string, expiryHours: number, options: CallOptions): Promise<string>;

  /** Reads one line of an output or error file; never throws, a line it can't read is `unreadable`. */
  readOutputLine(line: Uint8Array): OutputLine;
}

/** What a provider can do, as data: nothing outside a provider's folder asks for its name. */
export interface ProviderCapabilities {
  /** Paths that a job may be created for. */
  readonly endpoints: readonly string[];
  readonly maxRowsPerJob: number;
  readonly maxBytesPerFile: number;
  /** Rows and bytes of a shard unless set otherwise. Never changed: a lost store is found again by equal shards. */
  readonly defaultShardRows: number;
  readonly defaultShardBytes: number;
  readonly jobTimeoutHours: { readonly min: number; readonly max: number; readonly default: number };
  readonly metadata: { readonly maxKeyLength: number; readonly maxValueLength: number };
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Time-out of the whole call in milliseconds (transfers: of one period without progress). */
  readonly timeoutMs?: number;
  /** Called as a transfer advances, with the bytes so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface JobFilter {
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Asked if the list has a job that says nothing of its metadata: since when such a job may be one that is looked for,
   * Unix milliseconds; null: none may be. It is asked for by itself then; one that can't be read even so makes listing fail
   * if nothing else is found. Left out: any may be.
   */
  readonly mayLackMetadataSince?: () => Promise<number | null>;
  /** What is looked for has been seen: nothing is bought for want of it, so an entry that can't be read puts nothing in doubt. */
  readonly isKnown?: boolean;
}

export interface FileFilter {
  readonly search?: string;
}

export interface CreateJobRequest {
  readonly fileId: string;
  readonly endpoint: string;
  readonly model: string;
  readonly timeoutHours: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface RemoteJob {
  readonly id: string;
  readonly phase: JobPhase;
  /** The provider's own word. */
  readonly status: string;
  /** Unix time in milliseconds. */
  readonly createdAt: number;
  readonly completedAt: number | null;
  readonly counts: JobCounts;
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  readonly inputFiles: readonly string[];
  readonly endpoint: string;
  readonly model: string | null;
  /** Pairs with a string value; others are left out. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The provider's summary of what went wrong in the whole job; may echo input. */
  readonly errors: readonly { readonly message: string; readonly count: number }[];
}

export interface FileUpload {
  readonly name: string;
  readonly bytes: number;
  /** Opened at most once; yields exactly `bytes` bytes. An error of its own is thrown on as it is. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface RemoteFile {
  readonly id: string;
  readonly name: string;
  /** Size in bytes; null when the provider does not say. */
  readonly bytes: number | null;
  /** Lines as counted by the provider; null when it does not say. */
  readonly lines: number | null;
  readonly createdAt: number;
}

export interface FileDownload {
  /** Content-Length; null when the answer has none. */
  readonly contentLength: number | null;
  /**
   * Throws ProviderError `ProviderUnavailable` when the stream ends before `contentLength`. Holds a connection
   * until it is read to its end, its iterator is returned, or the call's signal is aborted.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * One line of a result file. `body` spans the raw bytes of the response's body within the line, so that
 * answers are copied and never re-serialised.
 */
export type OutputLine =
  | {
      readonly kind: 'row';
      readonly customId: string;
      readonly response: { readonly statusCode: number; readonly body: Span | null } | null;
      /** The provider's error beside or instead of a response. */
      readonly error: { readonly message: string; readonly code?: string } | null;
      /** Numeric usage fields of the body, under the provider's own names. */
      readonly usage: Readonly<Record<string, number>> | null;
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Half-open byte range. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
