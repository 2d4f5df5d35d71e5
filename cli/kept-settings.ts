import type { Command } from 'commander';
import { parseSize } from '../batch/size.js';
import type { StartOptions } from '../client/types.js';
import type { CliContext } from './context.js';

/*
 * What a command asks of a batch that is there already, and does not get.
 */

/**
 * Settings that a batch keeps from its start. Those that make another batch of it are refused when they differ:
 * endpoint, model, provider and job timeout.
 */
const KEPT: ReadonlySet<string> = new Set([
  'deadline',
  'maxRounds',
  'shardRows',
  'shardBytes',
  'maxJobs',
  'pollMin',
  'pollMax',
  'onInvalid',
  'metadata',
  'cleanup',
  'retry',
  'rebuyLost',
]);

/** The given options, by their flags, that only a batch which is about to start would take. */
export function givenSettings(command: Command): string[] {
  return command.options
    .filter((option) => {
      const name = option.attributeName();
      return KEPT.has(name) && command.getOptionValueSource(name) === 'cli';
    })
    .map((option) => option.long ?? option.flags);
}

/** Says what of the command line changes nothing, or may: the batch may have been started with the same. */
export async function noteKeptSettings(
  context: CliContext,
  batch: { readonly batchId: string; readonly attached: boolean },
  asked: { readonly start: StartOptions; readonly given: readonly string[] },
): Promise<void> {
  const isPlanned = await noteIgnoredSharding(context, batch.batchId, asked.start);
  if (!batch.attached) return;
  const given = asked.given.filter((flag) => !isPlanned || !flag.startsWith('--shard-'));
  if (given.length === 0) return;
  const change = given.length === 1 ? 'changes' : 'change';
  context.output.note(
    `${batch.batchId} keeps the settings that it was started with; given now, ${given.join(', ')} ${change} nothing.`,
  );
}

/** A plan is law once it is written: sharding settings that differ from it change nothing. False without a plan. */
async function noteIgnoredSharding(
  { output, storeUri }: CliContext,
  batchId: string,
  { shardRows, shardBytes }: StartOptions,
): Promise<boolean> {
  if (shardRows === undefined && shardBytes === undefined) return false;
  const { plannedSharding } = await import('../client/finished-batch.js');
  const planned = await plannedSharding(storeUri, batchId);
  if (planned === null) return false;
  const bytes = typeof shardBytes === 'string' ? parseSize(shardBytes) : shardBytes;
  const isSame =
    (shardRows ?? planned.maxRows) === planned.maxRows && (bytes ?? planned.maxBytes) === planned.maxBytes;
  if (!isSame) {
    output.note(
      `${batchId} is planned already, with shards of at most ${planned.maxRows} rows and ${planned.maxBytes} bytes; other sharding settings are ignored.`,
    );
  }
  return true;
}
