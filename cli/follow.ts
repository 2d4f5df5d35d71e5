import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress } from '../batch/progress.js';
import type { BatchHandle } from '../client/types.js';
import type { CliContext } from './context.js';
import type { Link } from './link.js';
import { createProgressDisplay } from './progress-display.js';
import { wordsOf } from './trouble-words.js';

/** A batch, and the way to it. */
export interface Attended {
  readonly link: Link;
  readonly handle: BatchHandle;
}

export interface FollowOptions {
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  /** Ends the watching before the batch has ended. */
  readonly until?: ((progress: BatchProgress) => boolean) | undefined;
}

/** Shows a batch until its end and returns its manifest; null when `until` came first. */
export async function followBatch(
  { output, env }: CliContext,
  handle: BatchHandle,
  options: FollowOptions,
): Promise<Manifest | null> {
  const { signal, until } = options;
  const display = await createProgressDisplay(output, { quiet: options.quiet, env });
  try {
    for await (const progress of handle.progress({ signal })) {
      const trouble = progress.phase === 'done' ? null : await handle.trouble({ signal });
      display.show(progress, trouble === null ? null : wordsOf(trouble));
      if (progress.phase !== 'done' && until?.(progress) === true) return null;
    }
  } finally {
    display.done();
  }
  return handle.result({ signal });
}

/** Whether a batch can be left alone: its first jobs exist, or it waits for something that is not us. */
export function isHandedOver({ phase, jobs, shards }: BatchProgress, maxJobs: number): boolean {
  if (phase === 'preparing') return false;
  if (phase !== 'running') return true;
  return shards.total > 0 && jobs.length + shards.done >= Math.min(maxJobs, shards.total);
}
