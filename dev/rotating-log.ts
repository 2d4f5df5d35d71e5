import { appendFileSync, renameSync, statSync } from 'node:fs';

const MAX_BYTES = 10 * 1024 * 1024;
const KEPT_LINES = 15;

/** A log file that is moved to `<name>.1` when it is full, and remembers its last lines for error messages. */
export class RotatingLog {
  readonly #path: string;
  readonly #maxBytes: number;
  #size: number;
  #tail = '';

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#size = sizeOf(path);
  }

  /** Never throws: a full disk or a removed home must not take down the process that is being logged. */
  write(text: string): void {
    this.#tail = (this.#tail + text)
      .split('\n')
      .slice(-KEPT_LINES - 1)
      .join('\n');
    try {
      if (this.#size > this.#maxBytes) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#path, text, { mode: 0o600 });
      this.#size += Buffer.byteLength(text);
    } catch {
      this.#size = sizeOf(this.#path);
    }
  }

  line(text: string): void {
    this.write(`${new Date().toISOString()} ${text}\n`);
  }

  /** The last lines written since `forget`. */
  get tail(): string {
    return this.#tail.trimEnd();
  }

  /** Forgets the remembered lines: they belong to a process that is gone. */
  forget(): void {
    this.#tail = '';
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
