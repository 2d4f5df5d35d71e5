import type { BatchPhase } from '../batch/progress.js';

/** What a phase asks of the person who looks, if anything. */
const HINTS: { readonly [P in BatchPhase]?: string } = {
  paused: 'no new job is created; `longhaul resume <id>` goes on',
  'waiting-for-quota':
    'the provider’s quota is used up; tried again by itself, `longhaul resume <id>` at once',
  'waiting-for-auth': 'the provider refuses the API key; set a valid one, then `longhaul resume <id>`',
  cancelling: 'waiting for the provider to end its jobs; what was answered is kept',
};

export function phaseHint(phase: BatchPhase, batchId: string): string | null {
  return HINTS[phase]?.replace('<id>', batchId) ?? null;
}
