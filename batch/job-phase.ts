/**
 * What a provider's job is doing, in words that hold for every provider.
 * Providers translate their own status words; an unknown word is `unknown` and is polled on.
 */
export const JOB_PHASES = [
  'pending',
  'running',
  'cancelling',
  'succeeded',
  'failed',
  'expired',
  'cancelled',
  'unknown',
] as const;

export type JobPhase = (typeof JOB_PHASES)[number];

export type TerminalJobPhase = Extract<JobPhase, 'succeeded' | 'failed' | 'expired' | 'cancelled'>;

export function isTerminal(phase: JobPhase): phase is TerminalJobPhase {
  return phase === 'succeeded' || phase === 'failed' || phase === 'expired' || phase === 'cancelled';
}

/** Neither ended nor about to: one that was told to cancel before it was seen is as good as cancelled by then. */
export function isAlive(phase: JobPhase): boolean {
  return !isTerminal(phase) && phase !== 'cancelling';
}

export interface JobCounts {
  readonly total: number;
  readonly completed: number;
  readonly succeeded: number;
  readonly failed: number;
}
