import { once } from 'node:events';

/** Where a command writes: results on stdout, everything else on stderr. */
export interface Output {
  /** One JSON document on stdout. */
  json(value: unknown): void;
  /** A line of a result on stdout. */
  line(text: string): void;
  /** Bytes of a result on stdout; resolves when more may be written. */
  bytes(chunk: Uint8Array): Promise<void>;
  /** A line for people on stderr, above a live block if there is one. */
  note(text: string): void;
  /** While a live block is on the terminal, its owner writes the notes; null ends that. */
  divertNotes(write: ((text: string) => void) | null): void;
  /** The stream of notes and progress. */
  readonly stderr: NodeJS.WriteStream;
}

/** Whether stdout is results, of which a reader may have seen enough. */
let readerMayLeave = false;

export function createOutput(): Output {
  let diverted: ((text: string) => void) | null = null;
  return {
    json: (value) => {
      const indent = process.stdout.isTTY ? 2 : 0;
      process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
    },
    line: (text) => void process.stdout.write(`${text}\n`),
    bytes: async (chunk) => {
      readerMayLeave = true;
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    },
    note: (text) => {
      if (diverted !== null) diverted(text);
      else process.stderr.write(`${text}\n`);
    },
    divertNotes: (write) => {
      diverted = write;
    },
    stderr: process.stderr,
  };
}

/**
 * A reader that has seen enough (`longhaul results … | head`) closes the pipe: then there is nothing left to do, and no
 * failure. Other commands have more to do than to print, and an exit code of their own, which a closed pipe must not
 * change.
 */
export function tolerateClosedPipes(): void {
  process.stdout.on('error', (error: Error) => {
    if (!isClosedPipe(error)) throw error;
    if (readerMayLeave) process.exit(0);
  });
  process.stderr.on('error', (error: Error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}

/** Resolves when what was written has left the process: `process.exit` would cut off a pipe's rest. */
export async function flushOutput(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writable) await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
