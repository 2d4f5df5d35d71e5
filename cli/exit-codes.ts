import type { Outcome } from '../batch/outcome.js';

/** Exit codes are a contract: scripts branch on them (design section 4). */
export const EXIT = {
  /** Done; for `run` and `wait`: every row succeeded. */
  done: 0,
  /** Wrong usage, invalid input, an id that nobody knows. */
  usage: 2,
  /** Finished with rows that did not succeed. */
  partial: 3,
  failed: 4,
  cancelled: 5,
  /** Detached by Ctrl-C: 128 + SIGINT. */
  detached: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_OUTCOME: { readonly [O in Outcome]: ExitCode } = {
  succeeded: EXIT.done,
  partial: EXIT.partial,
  cancelled: EXIT.cancelled,
  failed: EXIT.failed,
};

/** What `run` and `wait` exit with. */
export function exitCodeOf(outcome: Outcome): ExitCode {
  return BY_OUTCOME[outcome];
}
