import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  batchIdOf,
  layout,
  numberedFile,
  parseRoundPath,
  roundFile,
  shardWorkflowId,
} from '../../batch/layout.js';

const anyBatchId = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/);
const anyShard = fc.nat(200_000);
const anyNumber = fc.integer({ min: 1, max: 99_999_999 });

test('the files of a batch stay where earlier versions look for them', () => {
  const round = layout.round('b', 12, 3);
  expect([
    layout.plan('b'),
    layout.planDraft('b'),
    layout.stagedInput('b', '0123456789abcdef', 'file:///in/questions.jsonl'),
    layout.stagedInput('b', '0123456789abcdef', 'file:///in/questions.jsonl.GZ'),
    layout.shard('b', 7),
    layout.shardIndex('b', 7),
    layout.invalid('b'),
    layout.rounds('b'),
    layout.results('b'),
    layout.errors('b'),
    layout.manifest('b'),
    layout.archivedManifests('b'),
    layout.archivedManifest('b', 2),
    layout.takenManifest('b', 'x'),
    ...Object.values(roundFile).map((place) => place(round, 1)),
  ]).toEqual([
    'b/input/plan.json',
    'b/input/plan-draft.json',
    'b/input/source-0123456789ab.jsonl',
    'b/input/source-0123456789ab.jsonl.gz',
    'b/input/shard-00007.jsonl',
    'b/input/shard-00007.idx',
    'b/input/invalid.jsonl',
    'b/rounds',
    'b/results.jsonl',
    'b/errors.jsonl',
    'b/manifest.json',
    'b/manifests',
    'b/manifests/2.json',
    'b/manifests/taken-x.json',
    'b/rounds/00012-3/input.jsonl',
    'b/rounds/00012-3/intent-1.json',
    'b/rounds/00012-3/refused-1.json',
    'b/rounds/00012-3/job.json',
    'b/rounds/00012-3/answers.jsonl',
    'b/rounds/00012-3/quarantine.jsonl',
    'b/rounds/00012-3/account.json',
  ]);
});

test('the path of a round tells its shard and round', () => {
  fc.assert(
    fc.property(anyBatchId, anyShard, anyNumber, (batchId, shard, round) => {
      const path = roundFile.account(layout.round(batchId, shard, round));
      expect(parseRoundPath(path)).toEqual({ shard, round });
    }),
  );
});

test.each([
  'b/manifest.json',
  'b/rounds/00000-0/account.json',
  'b/rounds/0-1/account.json',
  'b/rounds/00000-1',
])('%s is in no round', (path) => {
  expect(parseRoundPath(path)).toBeNull();
});

test('intents and refusals tell their number, and neither passes for the other', () => {
  fc.assert(
    fc.property(anyNumber, (n) => {
      const round = layout.round('b', 0, 1);
      expect(numberedFile(roundFile.intent(round, n), 'intent')).toBe(n);
      expect(numberedFile(roundFile.refused(round, n), 'refused')).toBe(n);
      expect(numberedFile(roundFile.intent(round, n), 'refused')).toBeNull();
      expect(numberedFile(roundFile.refused(round, n), 'intent')).toBeNull();
    }),
  );
});

test.each(['r/intent-0.json', 'r/intent-01.json', 'r/intent-.json', 'r/intent-1.json.tmp', 'intent-1.json'])(
  '%s is no numbered file',
  (path) => {
    expect(numberedFile(path, 'intent')).toBeNull();
  },
);

test("a shard's workflow belongs to its batch, and so does the batch's own", () => {
  fc.assert(
    fc.property(anyBatchId, anyShard, (batchId, shard) => {
      expect(batchIdOf(shardWorkflowId(batchId, shard))).toBe(batchId);
      expect(batchIdOf(batchId)).toBe(batchId);
    }),
  );
  expect(shardWorkflowId('b', 0)).toBe('b/shard-00000');
});
