import { remedyOf } from '../batch/failure-types.js';
import type { Manifest } from '../batch/manifest.js';
import { isGone, RESULTS_GONE } from '../client/no-results.js';
import type { BatchAccount } from './batch-account.js';
import { saysRemedy } from './errors.js';
import { phaseHint } from './phase-hint.js';
import { wordsOf } from './trouble-words.js';

/** What a person may do with a batch that he was just shown, or has to; begins with a blank line if there is any. */
export function nextSteps(
  manifest: BatchAccount,
  { output }: { readonly output?: string | undefined } = {},
): string[] {
  const steps = manifest.outcome === null ? whileOpen(manifest) : afterEnd(manifest, output);
  return steps.length === 0 ? [] : ['', ...steps];
}

function whileOpen({ batchId, phase, trouble }: BatchAccount): string[] {
  const hint = phaseHint(phase, batchId);
  const remedy = trouble === undefined ? null : wordsOf(trouble).remedy;
  return [...(hint === null ? [] : [`${phase}: ${hint}`]), ...(remedy === null ? [] : [remedy])];
}

function afterEnd(manifest: Manifest, output: string | undefined): string[] {
  if (isGone(manifest)) return [RESULTS_GONE];
  const { batchId, outcome, rows, results, failure } = manifest;
  const steps: string[] = [];
  if (failure !== null && !saysRemedy(failure.type)) {
    steps.push(remedyOf(failure.type, outcome === 'partial' ? 'partial' : 'ended'));
  }
  if (results !== null && results.rows > 0) {
    steps.push(output === undefined ? `Results: longhaul results ${batchId}` : `Results: ${output}`);
    if (outcome !== 'succeeded') steps.push(`Errors:  longhaul results ${batchId} --errors`);
  }
  if (outcome === 'partial' && !steps.some((step) => step.includes('--retry'))) {
    // No run sends an invalid row, whatever its options.
    const isInvalidAlone = rows.invalid > 0 && rows.invalid === rows.total - rows.succeeded;
    steps.push(
      isInvalidAlone
        ? 'Invalid rows are never sent: correct them in the input, and run it under another id'
        : 'Send the unsuccessful rows again: `longhaul run` as before, with --retry',
    );
  }
  if (outcome === 'cancelled') steps.push('Send the cancelled rows after all: `longhaul run` as before');
  return steps;
}
