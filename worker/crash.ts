import { writeSync } from 'node:fs';
import { sayableStack } from '../batch/failure-text.js';

/** Variables that hold secrets, and are read once. A header for Temporal may be one that lets in. */
const SECRETS =
  /^(?:MISTRAL_API_KEY|LONGHAUL_CODEC_KEYS|TEMPORAL_API_KEY|TEMPORAL_TLS_CLIENT_KEY_DATA|TEMPORAL_GRPC_META_.+|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN)$/;

/** What was taken out of the environment, to be found in words that are about to be printed. */
const forgotten = new Set<string>();

/** A text without the secrets of this process: a library may repeat what it was given. */
export function withoutSecrets(text: string): string {
  const live = secretNames().flatMap((name) => secretsIn(process.env[name]));
  return [...forgotten, ...live].reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
}

function secretNames(): string[] {
  return Object.keys(process.env).filter((name) => SECRETS.test(name));
}

/**
 * Codec keys are written `id:key,id:key`, private keys in lines, and a header's secret behind a word; what is too short to be
 * a secret is a word itself, such as `emulator`.
 */
function secretsIn(value = ''): string[] {
  return [value, ...value.split(/[:,\s]/)].map((part) => part.trim()).filter((part) => part.length >= 12);
}

/**
 * Takes secrets out of the environment of this process, which Node writes whole into its diagnostic reports, and which
 * every child inherits.
 */
export function forgetSecrets(): void {
  // The one place that changes the environment; whoever needs a value has read it by now.
  for (const name of secretNames()) {
    for (const secret of secretsIn(process.env[name])) forgotten.add(secret);
    delete process.env[name];
  }
}

/**
 * Ends the process on a bug with its name, message and place. Node by itself prints all that is attached to an error:
 * the answer of a provider, which echoes rows, and the bytes that a parser stumbled over.
 */
export function dieQuietly(program: string, exitCode: number): void {
  process.on('uncaughtException', (thrown: unknown) => {
    const error = thrown instanceof Error ? thrown : new Error('something else than an error was thrown');
    // Synchronously: nothing that is asynchronous can be relied on any more.
    writeSync(2, withoutSecrets(`${program} ended by a bug: ${sayableStack(error)}\n`));
    process.exit(exitCode);
  });
}
