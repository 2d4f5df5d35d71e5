import { CancellationScope } from '@temporalio/workflow';
import type { RunShardInput, RunShardResult } from './messages.js';
import { ShardRun } from './shard-run.js';

/**
 * Brings one shard to its end, round by round. Never throws for what a provider, a store or a person does: its
 * account says what happened.
 */
export async function runShard(input: RunShardInput): Promise<RunShardResult> {
  const run = new ShardRun(input);
  // A cancel request on the shard itself, by hand or by the parent's close policy, counts as `cancel` with keep.
  CancellationScope.current().cancelRequested.catch(() => {
    run.control.cancel({}, 'request');
  });
  return CancellationScope.nonCancellable(() => run.toEnd());
}
