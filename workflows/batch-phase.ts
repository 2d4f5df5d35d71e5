import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Outcome } from '../batch/outcome.js';
import type { BatchPhase } from '../batch/progress.js';
import type { RowCounts } from '../batch/rows.js';
import { DEFAULTS } from '../batch/settings.js';
import type { RunBatchInput } from '../schemas/run-batch-input.js';

const PROVIDER = defineSearchAttributeKey('LonghaulProvider', 'KEYWORD');
const MODEL = defineSearchAttributeKey('LonghaulModel', 'KEYWORD');
const ENDPOINT = defineSearchAttributeKey('LonghaulEndpoint', 'KEYWORD');
const PHASE = defineSearchAttributeKey('LonghaulPhase', 'KEYWORD');
const OUTCOME = defineSearchAttributeKey('LonghaulOutcome', 'KEYWORD');
const ROWS = defineSearchAttributeKey('LonghaulRows', 'INT');
const ROWS_FAILED = defineSearchAttributeKey('LonghaulRowsFailed', 'INT');

/** The batch's phase where people look for it: search attributes and the UI's details, at changes only. */
export class BatchPhaseRecord {
  current: BatchPhase = 'preparing';

  announce(input: RunBatchInput): void {
    upsertSearchAttributes([
      { key: PROVIDER, value: input.provider ?? DEFAULTS.provider },
      { key: MODEL, value: input.model },
      { key: ENDPOINT, value: input.endpoint },
      { key: PHASE, value: this.current },
    ]);
    setCurrentDetails('Phase: preparing');
  }

  countRows(rows: number): void {
    upsertSearchAttributes([{ key: ROWS, value: rows }]);
  }

  get isRunning(): boolean {
    return this.current !== 'assembling' && this.current !== 'done';
  }

  enter(phase: BatchPhase): void {
    if (phase === this.current) return;
    this.current = phase;
    upsertSearchAttributes([{ key: PHASE, value: phase }]);
    setCurrentDetails(`Phase: ${phase}`);
  }

  end(outcome: Outcome, rows: RowCounts): void {
    this.current = 'done';
    upsertSearchAttributes([
      { key: PHASE, value: 'done' },
      { key: OUTCOME, value: outcome },
      // A run that finds its batch finished has counted none. Without a plan there is nothing to say.
      ...(rows.total === 0 ? [] : [{ key: ROWS, value: rows.total }]),
      { key: ROWS_FAILED, value: rows.total - rows.succeeded },
    ]);
    setCurrentDetails(
      `Phase: done\n\nOutcome: ${outcome}, ${rows.succeeded} of ${rows.total} rows succeeded`,
    );
  }
}
