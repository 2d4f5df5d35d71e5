import { writeFileSync } from 'node:fs';
import { endProcess } from './guarded-process.js';
import { isRecord, readJson, type Home } from './home.js';
import { commandLine, startToken } from './process-identity.js';

const LEFTOVER_GRACE_MS = 10_000;

interface ProcessRecord {
  readonly pid: number;
  readonly start: string;
  /** A part of its command line. */
  readonly mark: string;
}

/**
 * Remembers in `processes.json` which processes a supervisor started, for the next one to end what a double crash
 * (supervisor and guard) left behind: two servers on one database would corrupt it.
 */
export class ProcessRecords {
  readonly #path: string;
  readonly #records = new Map<string, ProcessRecord>();

  constructor(home: Home) {
    this.#path = home.processesFile;
  }

  /** `mark` has to be a part of the process's command line. */
  note(role: 'server' | 'worker', pid: number, mark: string): void {
    const start = startToken(pid);
    if (start === undefined) return;
    this.#records.set(role, { pid, start, mark });
    // Written at once: the time between a start and its record is the time in which a crash leaves an orphan.
    writeFileSync(this.#path, `${JSON.stringify([...this.#records.values()])}\n`, { mode: 0o600 });
  }

  /** Ends what a former supervisor left running; returns the process ids. */
  async endLeftovers(): Promise<number[]> {
    const value = await readJson(this.#path);
    const ended: number[] = [];
    for (const entry of Array.isArray(value) ? (value as unknown[]) : []) {
      const record = parseRecord(entry);
      if (record === undefined || !isStillTheSame(record)) continue;
      ended.push(record.pid);
      await endProcess(record.pid, record.start, LEFTOVER_GRACE_MS);
    }
    return ended;
  }
}

function parseRecord(value: unknown): ProcessRecord | undefined {
  if (!isRecord(value)) return undefined;
  const { pid, start, mark } = value;
  if (typeof pid !== 'number' || typeof start !== 'string' || typeof mark !== 'string') return undefined;
  return { pid, start, mark };
}

/** Process ids are reused: the start token and the command line must both be those of then. */
function isStillTheSame(record: ProcessRecord): boolean {
  return startToken(record.pid) === record.start && (commandLine(record.pid)?.includes(record.mark) ?? false);
}
