import type { LonghaulErrorType } from '../client/failures.js';

/** Failures that only the command line meets: with `--json` they stand in `failure.type`. The message says what to do. */
export const CLI_FAILURES = {
  Usage: {
    meaning:
      'The command was called in a way that it does not understand, or in a place where it makes no sense.',
    remedy: 'Correct what the message names; `--help` shows how.',
  },
  MissingKey: {
    meaning: 'The work needs a key for the provider, and none is set.',
    remedy: 'Set MISTRAL_API_KEY, or try everything without one: `longhaul dev` brings an emulator.',
  },
  Interrupted: {
    meaning: 'Ctrl-C came before anything was started. Nothing was sent.',
    remedy: 'Call the same command again.',
  },
  HomeConflict: {
    meaning: 'The home belongs to another provider or another store.',
    remedy:
      'Set LONGHAUL_HOME to another folder for this one, or correct MISTRAL_BASE_URL or LONGHAUL_STORE.',
  },
  EmbeddedServer: {
    meaning: 'The embedded server, its worker or its supervisor could not be started or reached.',
    remedy: 'See the message and the logs in the home, then call the same command again.',
  },
  EmbeddedServerStopped: {
    meaning: 'The embedded server ended under the command: it was stopped, or could not go on.',
    remedy: 'Go on with `longhaul wait <batch id>`; for `dev` and `worker`, call the same command again.',
  },
  SupervisorVersion: {
    meaning: 'The server of this home was started by another version of Longhaul.',
    remedy: 'Call `longhaul stop`, then try again.',
  },
  MissingBinary: {
    meaning: 'There is no Temporal CLI, and none could be downloaded or built.',
    remedy: 'Provide one in one of the ways that the message lists.',
  },
  PlaceNotUsable: {
    meaning: 'The file system refused a file or folder that the command itself needs.',
    remedy: 'Use another place, or put right what the message says.',
  },
  OutputNotWritten: {
    meaning: 'The copy of the results could not be written. The results are safe in the store.',
    remedy: 'Write it again with `longhaul results <batch id> --output <file>`.',
  },
  EmulatorNotStarted: {
    meaning: 'The emulator can’t listen where it was told to, or has no folder for its files.',
    remedy: 'Give another --host or --port; port 0 takes a free one. Its files lie in TMPDIR.',
  },
  Unexpected: {
    meaning: 'A bug in Longhaul.',
    remedy: 'Report it with the command you called and what LONGHAUL_LOG_LEVEL=debug adds.',
  },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>;

export type CliFailureType = keyof typeof CLI_FAILURES;

/** Everything that `failure.type` may say. */
export type ReportedType = LonghaulErrorType | CliFailureType;
