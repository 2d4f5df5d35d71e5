import type { BatchSettings } from '../batch/settings.js';
import type { Plan } from '../schemas/records.js';
import { sha256Hex } from '../storage/hash.js';
import type { PreparedBatch } from './contract.js';
import { recordText } from './records.js';

/** A plan as the workflow needs it. */
export function preparedBy(
  plan: Plan,
  run: {
    readonly archived: readonly number[];
    readonly resumed: boolean;
    readonly settings: BatchSettings;
  },
): PreparedBatch {
  return {
    kind: 'prepared',
    generation: (run.archived.at(-1) ?? 0) + 1,
    planSha256: sha256Hex(recordText(plan)),
    fingerprint: plan.fingerprint,
    shards: plan.shards.length,
    rows: plan.input.rows,
    bytes: plan.input.bytes,
    sha256: plan.input.sha256,
    invalid: plan.invalid,
    resumed: run.resumed,
    settings: run.settings,
  };
}
