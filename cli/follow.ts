import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress } from '../batch/progress.js';
import type { Trouble } from '../client/pending-activity.js';
import type { BatchHandle } from '../client/types.js';
import type { CliContext } from './context.js';
import type { Link } from './link.js';
import type { TroubleView } from './progress-block.js';
import { createProgressDisplay } from './progress-display.js';

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
  { link, handle }: Attended,
  options: FollowOptions,
): Promise<Manifest | null> {
  const { signal, until } = options;
  const display = createProgressDisplay(output, { quiet: options.quiet, env });
  try {
    for await (const progress of handle.progress({ signal })) {
      const trouble = progress.phase === 'done' ? null : await link.trouble(handle.batchId, progress.running);
      display.show(progress, trouble === null ? null : toView(trouble));
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

function toView({ type, message, activity, attempt }: Trouble): TroubleView {
  const what = type === 'ProviderUnavailable' ? 'the provider is unavailable' : `${activity} fails`;
  return { message: `${what}, trying again: ${message.split('\n', 1)[0] ?? ''}`, attempt };
}
