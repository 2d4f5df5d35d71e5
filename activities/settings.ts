import { parseDuration } from '../batch/duration.js';
import { DEFAULTS } from '../batch/settings.js';
import type { BatchSettings } from '../batch/settings.js';
import type { ShardLimits } from '../batch/shard-cut.js';
import { parseSize } from '../batch/size.js';
import type { ProviderCapabilities } from '../providers/provider.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { BatchError } from './batch-error.js';
import type { ActivityDeps } from './deps.js';

const HOUR_MS = 3_600_000;

/** The schema has checked the form of each text, so a default is never reached. */
function ms(text: string, otherwise: number): number {
  return parseDuration(text) ?? otherwise;
}

export function jobTimeoutMs(input: ParsedRunBatchInput): number {
  return ms(input.jobTimeout, DEFAULTS.jobTimeoutMs);
}

/** The run's settings in numbers. */
export function resolveSettings(input: ParsedRunBatchInput, deps: ActivityDeps): BatchSettings {
  const timeout = jobTimeoutMs(input);
  const { provider, endpoint, model, maxRounds, maxJobs, metadata, cleanup, retry, rebuyLost } = input;
  return {
    provider,
    endpoint,
    model,
    jobTimeoutHours: timeout / HOUR_MS,
    deadlineMs:
      input.deadline === undefined
        ? timeout * DEFAULTS.deadlineFactor
        : ms(input.deadline, timeout * DEFAULTS.deadlineFactor),
    maxRounds,
    maxJobs,
    poll: { minMs: ms(input.pollMin, DEFAULTS.poll.minMs), maxMs: ms(input.pollMax, DEFAULTS.poll.maxMs) },
    metadata,
    cleanup,
    retry,
    rebuyLost,
    cancelWaitMs: deps.cancelWaitMs,
    createSettleMs: deps.createSettleMs,
    maxHistory: input.maxHistory ?? null,
  };
}

/** Refuses what the provider would refuse, before anything is sent. */
export function assertProviderTakes(input: ParsedRunBatchInput, capabilities: ProviderCapabilities): void {
  if (!capabilities.endpoints.includes(input.endpoint)) {
    throw new BatchError(
      'InvalidInput',
      `endpoint ${input.endpoint} is unknown to ${input.provider}; it has ${capabilities.endpoints.join(', ')}`,
    );
  }
}

export function shardLimits(input: ParsedRunBatchInput, capabilities: ProviderCapabilities): ShardLimits {
  const { maxRowsPerJob, maxBytesPerFile, defaultShardRows, defaultShardBytes } = capabilities;
  const maxRows = input.shardRows ?? defaultShardRows;
  const asked = input.shardBytes;
  const maxBytes =
    typeof asked === 'number' ? asked : asked === undefined ? defaultShardBytes : (parseSize(asked) ?? 0);
  if (maxRows > maxRowsPerJob) {
    throw new BatchError(
      'InvalidInput',
      `shardRows ${maxRows} is over ${input.provider}’s limit of ${maxRowsPerJob}`,
    );
  }
  if (maxBytes > maxBytesPerFile) {
    throw new BatchError(
      'InvalidInput',
      `shardBytes ${maxBytes} is over ${input.provider}’s limit of ${maxBytesPerFile}`,
    );
  }
  return { maxRows, maxBytes };
}
