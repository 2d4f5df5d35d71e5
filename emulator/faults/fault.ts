import type { ErrorVariant } from '../errors.js';
import type { RowErrorForm } from '../rows/row-errors.js';
import type { TerminalStatus } from '../jobs/timeline.js';

/** `before`: as if the request had never been handled; `after`: it took effect, but the client is not told. */
export type When = 'before' | 'after';

/** Faults of the exchange itself, for any route. */
export type ExchangeFault =
  | { readonly type: 'latency'; readonly ms: number }
  | {
      readonly type: 'hold';
      readonly when: When;
      /** What becomes of a request whose client goes away while it is held before its effect. */
      readonly ifAborted: 'drop' | 'proceed';
    }
  | {
      readonly type: 'status';
      readonly when: When;
      readonly status: number;
      readonly variant: ErrorVariant | null;
      readonly retryAfter: number | string | null;
    }
  | { readonly type: 'reset'; readonly when: When };

/** Faults of a JSON answer's contents. */
export type BodyFault =
  | { readonly type: 'bytesNull' }
  | { readonly type: 'unknownStatus'; readonly status: string }
  | { readonly type: 'wrongCounters'; readonly counters: Readonly<Record<string, number>> }
  | { readonly type: 'poisonedItem'; readonly mode: 'insert' | 'replace' }
  | { readonly type: 'rawBody'; readonly body: string; readonly contentType: string };

/** Faults of the bytes of a file on their way. */
type TransferFault =
  | {
      readonly type: 'truncatedDownload';
      readonly share: number;
      /** Cuts at the last line's end within the share, so that what arrives looks whole. */
      readonly atLineEnd: boolean;
      /**
       * `close`: full Content-Length, then the connection ends; `short`: a Content-Length that fits the rest;
       * `chunked`: no Content-Length, and an orderly end.
       */
      readonly ending: 'close' | 'short' | 'chunked';
    }
  /** A gateway compresses, asked or not, and says no length. */
  | { readonly type: 'gzipDownload' }
  | { readonly type: 'slowDownload'; readonly bytesPerSecond: number }
  | { readonly type: 'slowUpload'; readonly bytesPerSecond: number };

/** Faults that a file is uploaded with and keeps. */
type FileFault = {
  readonly type: 'fileListLag';
  readonly calls: number | null;
  readonly ms: number | null;
};

/** Which rows of a job: by custom_id, the first `count` of the input, or a drawn `share`. */
export interface RowSelector {
  readonly customIds: readonly string[] | null;
  readonly count: number | null;
  readonly share: number | null;
}

/** Faults that a job is created with and keeps. */
export type JobFault =
  | { readonly type: 'stuckQueued' }
  | { readonly type: 'jobSeconds'; readonly seconds: number; readonly queued: number | null }
  /** How long the job's result files can be read once it has ended. */
  | { readonly type: 'resultRetention'; readonly seconds: number }
  | {
      readonly type: 'jobOutcome';
      readonly status: TerminalStatus;
      readonly share: number;
      readonly errors: readonly { readonly message: string; readonly count: number }[];
    }
  | { readonly type: 'cancelRace' }
  | { readonly type: 'missingRows'; readonly rows: RowSelector }
  | { readonly type: 'duplicateRows'; readonly rows: RowSelector; readonly differing: boolean }
  | { readonly type: 'unknownRows'; readonly customIds: readonly string[] }
  | { readonly type: 'malformedLines'; readonly rows: RowSelector }
  | {
      readonly type: 'lineEndings';
      readonly crlf: boolean;
      readonly blankLines: boolean;
      readonly lastLineEnd: boolean;
    }
  | { readonly type: 'transient404'; readonly times: number | null; readonly ms: number | null }
  | { readonly type: 'listLag'; readonly calls: number | null; readonly ms: number | null }
  | {
      readonly type: 'rowErrors';
      readonly rows: RowSelector;
      /** The row fails while fewer completed jobs than this held it; null: always. */
      readonly attempts: number | null;
      readonly status: number;
      readonly form: RowErrorForm;
    }
  | { readonly type: 'failuresInOutput' };

export type Fault = ExchangeFault | BodyFault | TransferFault | FileFault | JobFault;
export type FaultType = Fault['type'];
