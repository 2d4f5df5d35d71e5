import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTerminal, JOB_PHASES } from '../../batch/job-phase.js';
import { fileAction, inputFileName, jobAction, orphanReason, keyOfInputFile } from '../../batch/orphans.js';

const standing = fc.record({ ours: fc.boolean(), named: fc.boolean(), open: fc.boolean() });
const OURS = { ours: true, named: false, open: false };

describe('a job that no round keeps', () => {
  it('is a duplicate, or to be adopted, if the store knows its key', () => {
    const facts = { batchId: 'b', batchKnown: true };
    expect(orphanReason({ ...facts, owner: { batchId: 'b', recorded: true } })).toBe('duplicate');
    expect(orphanReason({ ...facts, owner: { batchId: 'b', recorded: false } })).toBe('unrecorded');
  });

  it('else is of a round or a batch that the store does not know, or of nobody', () => {
    expect(orphanReason({ owner: null, batchId: 'b', batchKnown: true })).toBe('unknown-round');
    expect(orphanReason({ owner: null, batchId: 'b', batchKnown: false })).toBe('unknown-batch');
    expect(orphanReason({ owner: null, batchId: null, batchKnown: false })).toBe('unknown-owner');
  });

  it('is cancelled only if it runs, is ours or named, and its batch is not open', () => {
    fc.assert(
      fc.property(fc.constantFrom(...JOB_PHASES), standing, (phase, facts) => {
        const runs = !isTerminal(phase) && phase !== 'cancelling';
        const may = runs && !facts.open && (facts.ours || facts.named);
        expect(jobAction(phase, facts) === 'cancel').toBe(may);
        expect(jobAction(phase, facts)).not.toBe('delete');
      }),
    );
    expect(jobAction('running', { ...OURS, open: true })).toBe('keep-open');
    expect(jobAction('running', { ...OURS, ours: false })).toBe('keep-foreign');
    expect(jobAction('succeeded', OURS)).toBe('none');
  });
});

describe('a file that no round keeps', () => {
  it('is deleted only if no live job reads it, it is ours or named, and its batch is not open', () => {
    fc.assert(
      fc.property(fc.boolean(), standing, (inUse, facts) => {
        const may = !inUse && !facts.open && (facts.ours || facts.named);
        expect(fileAction(inUse, facts) === 'delete').toBe(may);
        expect(fileAction(inUse, facts)).not.toBe('cancel');
      }),
    );
    expect(fileAction(true, OURS)).toBe('keep-in-use');
  });

  it('is known by its name alone', () => {
    const key = 'ab'.repeat(32);
    expect(keyOfInputFile(inputFileName(key))).toBe(key);
    for (const name of [`${key}.jsonl`, `longhaul-${key}.jsonl.gz`, `longhaul-${key.slice(1)}.jsonl`]) {
      expect(keyOfInputFile(name)).toBeNull();
    }
    expect(keyOfInputFile(`xlonghaul-${key}.jsonl`)).toBeNull();
  });
});
