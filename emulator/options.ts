import { tmpdir } from 'node:os';

/** What `startEmulator` takes. Everything is optional; the defaults suit a demo on one machine. */
export interface EmulatorOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  host?: string | undefined;
  /** Port to listen on; 0 takes any free one. Default 0. */
  port?: number | undefined;
  /** Milliseconds that every `/v1` request waits before it is handled. Default 0. */
  latencyMs?: number | undefined;
  /** Seconds from a job's creation to its end. Default 2. */
  jobSeconds?: number | undefined;
  /** Share of rows (0..1) that fail, drawn anew for each completed job that held the row. Default 0. */
  rowErrorRate?: number | undefined;
  /** Share (0..1) of those failures that are a 422 which never goes away. Default 0.04. */
  permanentErrorShare?: number | undefined;
  /** Integer that all answers, failures and orders are drawn from. Default 1. */
  seed?: number | undefined;
  /** Existing folder under which a scratch folder is made and, on close, removed. Default: the system's. */
  dataDir?: string | undefined;
  /** Unanswered requests that a workspace may have in all its open jobs. Default 1,000,000. */
  maxPendingRequests?: number | undefined;
  /** Size limit of an uploaded file. Default 512 MiB. */
  maxFileBytes?: number | undefined;
  /** Seconds from CANCELLATION_REQUESTED to CANCELLED. Default 0.2. */
  cancelSeconds?: number | undefined;
  /** Seconds that a finished job's result files can be read. Default 24 hours. */
  resultRetentionSeconds?: number | undefined;
  /** Clock in milliseconds since the epoch, for job times; held requests and latency use real time. */
  now?: (() => number) | undefined;
}

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly latencyMs: number;
  readonly jobSeconds: number;
  readonly rowErrorRate: number;
  readonly permanentErrorShare: number;
  readonly seed: number;
  readonly dataDir: string;
  readonly maxPendingRequests: number;
  readonly maxFileBytes: number;
  readonly cancelSeconds: number;
  readonly resultRetentionSeconds: number;
  readonly now: () => number;
}

/** The most that these options may be, for whoever wants to refuse a value before the emulator does. */
export const MOST = { latencyMs: 3_600_000, jobSeconds: 1e9 } as const;

function inRange(name: string, value: number, min: number, max: number, integer: boolean): number {
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  const kind = integer ? 'an integer' : 'a number';
  throw new RangeError(`Emulator option ${name} must be ${kind} from ${min} to ${max}, but is ${value}.`);
}

/** Fills in the defaults. Throws a RangeError that names the option if a value is out of range. */
export function resolveOptions(options: EmulatorOptions): Settings {
  const number = (name: keyof EmulatorOptions, value: number | undefined, fallback: number, max: number) =>
    inRange(name, value ?? fallback, 0, max, false);
  const integer = (name: keyof EmulatorOptions, value: number | undefined, fallback: number, max: number) =>
    inRange(name, value ?? fallback, 0, max, true);
  return {
    host: options.host ?? '127.0.0.1',
    port: integer('port', options.port, 0, 65_535),
    latencyMs: number('latencyMs', options.latencyMs, 0, MOST.latencyMs),
    jobSeconds: number('jobSeconds', options.jobSeconds, 2, MOST.jobSeconds),
    rowErrorRate: number('rowErrorRate', options.rowErrorRate, 0, 1),
    permanentErrorShare: number('permanentErrorShare', options.permanentErrorShare, 0.04, 1),
    seed: inRange('seed', options.seed ?? 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
    dataDir: options.dataDir ?? tmpdir(),
    maxPendingRequests: integer('maxPendingRequests', options.maxPendingRequests, 1_000_000, 1e12),
    maxFileBytes: integer('maxFileBytes', options.maxFileBytes, 512 * 1024 * 1024, 1e12),
    cancelSeconds: number('cancelSeconds', options.cancelSeconds, 0.2, 1e9),
    resultRetentionSeconds: number('resultRetentionSeconds', options.resultRetentionSeconds, 86_400, 1e9),
    now: options.now ?? Date.now,
  };
}
