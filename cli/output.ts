import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { codeOf, messageOf } from '../dev/errors.js';
import { EXIT } from './exit-codes.js';

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
 * change. A disk that is full is another matter: what was asked for is not there. Notes are for people: none that can't
 * be written changes what a command does.
 */
export function tolerateBrokenStreams(): void {
  process.stdout.on('error', (error: Error) => {
    if (codeOf(error) !== 'EPIPE') endUnwritten(error);
    if (readerMayLeave) process.exit(EXIT.done);
  });
  process.stderr.on('error', () => undefined);
}

function endUnwritten(error: Error): never {
  try {
    // Synchronously, for the process ends here.
    writeSync(
      2,
      `longhaul: Can't write to stdout: ${messageOf(error)}. Send it elsewhere, and call the command again.\n`,
    );
  } catch {
    // The exit code is all that is left to say it with.
  }
  process.exit(EXIT.failed);
}

/** Resolves when what was written has left the process: `process.exit` would cut off a pipe's rest. */
export async function flushOutput(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writable) await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
