import { writeSync } from 'node:fs';
import { sayableStack } from '../batch/failure-text.js';

/** Hold secrets, and are read once. */
const SECRETS = ['MISTRAL_API_KEY', 'LONGHAUL_CODEC_KEYS'];

/**
 * Takes secrets out of the environment of this process, which Node writes whole into its diagnostic reports, and which
 * every child inherits.
 */
export function forgetSecrets(...more: readonly string[]): void {
  // The one place that changes the environment; whoever needs a value has read it by now.
  for (const name of [...SECRETS, ...more]) delete process.env[name];
}

/**
 * Ends the process on a bug with its name, message and place. Node by itself prints all that is attached to an error:
 * the answer of a provider, which echoes rows, and the bytes that a parser stumbled over.
 */
export function dieQuietly(program: string, exitCode: number): void {
  process.on('uncaughtException', (thrown: unknown) => {
    const error = thrown instanceof Error ? thrown : new Error('something else than an error was thrown');
    // Synchronously: nothing that is asynchronous can be relied on any more.
    writeSync(2, `${program} ended by a bug: ${sayableStack(error)}\n`);
    process.exit(exitCode);
  });
}
