import { readFile } from 'node:fs/promises';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { RELEASE } from '../../dev/release.js';
import { recordedHistories } from '../support/histories.js';
import type { RecordedHistory } from '../support/histories.js';
import { LATER_RUN_SCENARIOS, REAL_SERVER_SCENARIOS } from '../support/history-scenarios-later.js';
import { HISTORY_SCENARIOS } from '../support/history-scenarios.js';
import { ACTIVITY_OPTIONS } from '../../workflows/proxies.js';

/*
 * What is open somewhere must go on under the next version. A test here that fails means: keep the old way behind
 * `patched()`, and add a history for the new one (`test/support/record-histories.ts`).
 */

const histories = await recordedHistories();
let code: string;

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  code = await readFile(inject('workflowBundlePath'), 'utf8');
});

/** A batch's scenario is its id, and so a piece of its shards' ids. */
async function replay(bundle: string, { name, history }: RecordedHistory): Promise<void> {
  const [, scenario = ''] = name.split('/');
  await Worker.runReplayHistory({ workflowBundle: { code: bundle } }, history, scenario);
}

test('there are histories of both workflows, in every way through them that matters', () => {
  const names = histories.filter(({ release }) => release === '0.1.0').map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('runBatch/')).length).toBeGreaterThan(10);
  expect(names.filter((name) => name.startsWith('runShard/')).length).toBeGreaterThan(10);
  expect(names).toContain('runShard/continued-2');
});

const historySchema = z.object({
  events: z.array(
    z.object({
      eventType: z.string(),
      activityTaskScheduledEventAttributes: z
        .object({ activityType: z.object({ name: z.string() }) })
        .optional(),
    }),
  ),
});

/** The kinds of a history's events, and the names of its activities. */
function pathOf({ history }: RecordedHistory): readonly string[] {
  return historySchema
    .parse(history)
    .events.flatMap(({ eventType, activityTaskScheduledEventAttributes: scheduled }) => [
      eventType.replace('EVENT_TYPE_', ''),
      ...(scheduled === undefined ? [] : [scheduled.activityType.name]),
    ]);
}

const own = new Map(
  histories.filter(({ release }) => release === RELEASE).map((each) => [each.name, each] as const),
);

test('every scenario has its histories', () => {
  const scenarios = { ...HISTORY_SCENARIOS, ...LATER_RUN_SCENARIOS, ...REAL_SERVER_SCENARIOS };
  const recorded = (workflow: string, scenario: string) =>
    own.has(`${workflow}/${scenario}`) || own.has(`${workflow}/${scenario}-1`);
  const names = Object.keys(scenarios);
  expect(names.filter((name) => !recorded('runBatch', name))).toEqual([]);
  // These end before there is a shard.
  expect(names.filter((name) => !recorded('runShard', name))).toEqual(['no-access', 'cancel-early']);
});

test('every activity is in some history', () => {
  const seen = new Set([...own.values()].flatMap(pathOf));
  expect(Object.keys(ACTIVITY_OPTIONS).filter((name) => !seen.has(name))).toEqual([]);
});

/** What a scenario is there for: recorded anew, it must still come to it. */
test.each([
  ['runBatch/cancel-early', 'findPlan'],
  ['runBatch/left-cancel', 'START_CHILD_WORKFLOW_EXECUTION_INITIATED'],
  ['runBatch/earlier-shard', 'START_CHILD_WORKFLOW_EXECUTION_FAILED'],
  ['runBatch/shard-terminated', 'CHILD_WORKFLOW_EXECUTION_TERMINATED'],
  ['runBatch/account-wait', 'ACTIVITY_TASK_FAILED'],
  ['runBatch/account-quota', 'ACTIVITY_TASK_FAILED'],
  ['runBatch/two-rounds', 'cleanup'],
  ['runBatch/cancel-cleanup', 'ACTIVITY_TASK_CANCEL_REQUESTED'],
  ['runShard/duplicate', 'cancelJob'],
  ['runShard/poll-now', 'TIMER_CANCELED'],
  ['runShard/cancel-continued-1', 'cancelJob'],
  ['runShard/cancel-continued-2', 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
])('the history %s has %s in it', (name, step) => {
  const recorded = own.get(name);
  expect(recorded === undefined ? [] : pathOf(recorded)).toContain(step);
});

test('every release that may have left open batches has its histories', () => {
  expect(new Set(histories.map(({ release }) => release))).toContain(RELEASE);
});

test.each(histories.map((recorded) => [`${recorded.release}/${recorded.name}`, recorded] as const))(
  '%s replays',
  async (_name, recorded) => {
    await expect(replay(code, recorded)).resolves.toBeUndefined();
  },
);

describe('a changed bundle is caught', () => {
  const changes: readonly (readonly [what: string, history: string, from: RegExp, to: string])[] = [
    ['an activity of another name', 'runShard/two-rounds', /\.upload\(input\)/, '.uploadFile(input)'],
    [
      'one activity in the place of another',
      'runBatch/two-rounds',
      /\.checkAccount\(input\)/,
      '.findJob(input)',
    ],
    [
      'an activity more',
      'runBatch/two-rounds',
      /checkAccount: \(summary, input\)\s*=>\s*(proxy\('checkAccount', summary\)\.checkAccount\(input\))/,
      "checkAccount: async (summary, input)=>{ await proxy('cleanup', '').cleanup({ cleanup: 'none' }); return $1; }",
    ],
    [
      'a timer more',
      'runShard/two-rounds',
      /(async function untilNextPoll\(active, context\) \{)/,
      '$1 await new Promise((done) => setTimeout(done, 1000));',
    ],
    ['a timer less', 'runShard/quota', /(async function untilNextPoll\(active, context\) \{)/, '$1 return;'],
    [
      'no wait for a shard of an earlier run',
      'runBatch/earlier-shard',
      /await \S+\.sleep\)\(\S+\.rivalWaitMs\)\(attempt\)/,
      'void (attempt',
    ],
    [
      'a batch that a cancelled preparation ends at once',
      'runBatch/left-cancel',
      /\S+\.activities\.findPlan\(/,
      '(() => ({ plan: null }))(',
    ],
    [
      'no second start of a shard that was terminated',
      'runBatch/shard-terminated',
      /instanceof \S+\.TerminatedFailure\) return null/,
      'instanceof Number) return null',
    ],
    ['a shard under another id', 'runBatch/two-rounds', /\$\{batchId\}\/shard-/, '$${batchId}/part-'],
  ];

  test.each(changes)('%s (%s)', async (_what, name, from, to) => {
    const recorded = histories.find((each) => each.name === name);
    if (recorded === undefined) throw new Error(`no history ${name}`);
    const changed = code.replace(from, to);
    expect(changed).not.toBe(code);
    await expect(replay(changed, recorded)).rejects.toThrow(DeterminismViolationError);
  });
});

// Two copies of protobufjs in one tree break exactly this, with "type must be a Type".
test('a history goes through JSON and back unchanged', async () => {
  for (const { history } of histories.slice(0, 3)) {
    const json = historyToJSON(historyFromJSON(history));
    expect(JSON.parse(json)).toEqual(history);
  }
});
