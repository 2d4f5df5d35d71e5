import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { EmbeddedSession } from '../../dev/embedded.js';
import type { Command } from '../support/e2e-command.js';
import { holdHome } from '../support/e2e-embedded.js';
import { API_KEY, E2eHome } from '../support/e2e-home.js';
import { questions, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';

/*
 * A key or a quota that stops working in the middle of a run: on the real server, with the built command line. The batch
 * waits where everybody can see it, and `resume` goes on as if nothing had been.
 */

const TIMEOUT_MS = 170_000;

const seenSchema = z.object({ batchId: z.string(), phase: z.string() });

let home: E2eHome;
let session: EmbeddedSession;
let keys = 1;
let input: string;
let undisturbed: Buffer;

beforeAll(async () => {
  home = await E2eHome.create();
  session = await holdHome(home, { need: 'none' });
  input = await writeRows(join(home.folder, 'questions.jsonl'), questions(40));
  await home.run(input, 'undisturbed', '--shard-rows', '20', '--max-jobs', '1').exits(0);
  undisturbed = await home.results('undisturbed');
}, TIMEOUT_MS);

afterAll(async () => {
  await session.close();
  await home.remove();
});

beforeEach(() => home.emulator.clearFaults());

/** Two shards, one after the other, under a command that stays with them. */
function start(batchId: string): Command {
  return home.run(input, batchId, '--shard-rows', '20', '--max-jobs', '1');
}

/** Another key of the same workspace, as somebody has who was given a new one: from now on it is the key of all commands. */
function nextKey(): string {
  keys += 1;
  home.env['MISTRAL_API_KEY'] = `${API_KEY}#${keys}`;
  return home.env['MISTRAL_API_KEY'];
}

async function phaseOf(batchId: string): Promise<string> {
  const { stdout } = await home.longhaul('status', batchId, '--json').exits(0);
  return seenSchema.parse(JSON.parse(stdout)).phase;
}

/** `status`, `list` and the workflow's search attribute tell the same. */
async function expectSeen(batchId: string, phase: string): Promise<void> {
  await untilPhase(batchId, phase);
  const [seen, { stdout }] = await Promise.all([
    phaseOf(batchId),
    home.longhaul('list', '--phase', phase, '--json').exits(0),
  ]);
  expect(seen).toBe(phase);
  const listed = z.array(seenSchema).parse(JSON.parse(stdout));
  expect(listed.map((entry) => entry.batchId)).toContain(batchId);
}

async function untilPhase(batchId: string, phase: string): Promise<void> {
  const temporal = await E2eTemporal.connect(session.address, session.namespace);
  try {
    await vi.waitFor(async () => expect(await temporal.isInPhase(batchId, phase)).toBe(true), {
      timeout: 90_000,
      interval: 250,
    });
  } finally {
    await temporal.close();
  }
}

async function expectUndisturbed(batchId: string, command: Command): Promise<void> {
  await command.exits(0);
  expect((await home.results(batchId)).equals(undisturbed)).toBe(true);
  const manifest = await home.manifest(batchId);
  expect(manifest).toMatchObject({ outcome: 'succeeded', failure: null });
  expect(manifest.jobs.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
  expect(await home.emulator.jobs(batchId)).toHaveLength(2);
}

/** The keys of the requests from here on. */
async function keysSince(from: number): Promise<Set<string | null>> {
  const journal = await home.emulator.journal();
  return new Set(journal.filter(({ n }) => n > from).map(({ key }) => key));
}

describe('a key that is refused', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['a poll', 'getJob', 1],
    ['a download', 'fileContent', 1],
    ['an upload', 'uploadFile', 2],
    ['the next create', 'createJob', 2],
  ] as const)('at %s is waited for, and another key goes on', async (_, route, from) => {
    const batchId = `auth-${route}`;
    await home.emulator.setFaults({ route, from, fault: { type: 'status', status: 401 } });
    const command = start(batchId);
    await expectSeen(batchId, 'waiting-for-auth');
    // The command looks by itself, a moment before or after `status` does.
    await expect.poll(() => command.stderr).toContain('refuses the API key');
    expect((await home.emulator.jobs(batchId)).length).toBeGreaterThan(0);

    await home.emulator.clearFaults();
    const last = (await home.emulator.journal()).at(-1)?.n ?? 0;
    const key = nextKey();
    await home.longhaul('resume', batchId).exits(0);
    await expectUndisturbed(batchId, command);
    const newKey = createHash('sha256').update(key).digest('hex').slice(0, 8);
    expect(await keysSince(last)).toEqual(new Set([newKey]));
  });

  test('at a cancel is asked for again, and the job is cancelled once', async () => {
    await home.emulator.setFaults(
      { route: 'createJob', fault: { type: 'jobSeconds', seconds: 600 } },
      { route: 'cancelJob', fault: { type: 'status', status: 401 } },
    );
    const command = start('auth-cancel');
    await vi.waitFor(async () => expect(await home.emulator.jobs('auth-cancel')).toHaveLength(1), {
      timeout: 60_000,
    });
    const cancel = home.longhaul('cancel', 'auth-cancel', '--json');
    await home.emulator.waitFor('cancelJob', { count: 2, until: 'answered' });
    expect(await phaseOf('auth-cancel')).toBe('cancelling');
    await home.emulator.clearFaults();
    nextKey();
    await home.longhaul('resume', 'auth-cancel').exits(0);
    await command.exits(5);
    await cancel.exits(0);
    expect(await home.emulator.jobs('auth-cancel')).toMatchObject([{ status: 'CANCELLED' }]);
    expect(await home.manifest('auth-cancel')).toMatchObject({
      outcome: 'cancelled',
      jobs: [{ status: 'CANCELLED' }],
    });
  });
});

describe('a quota that is used up', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['429 at the first create', 1, { status: 429, variant: 'pending' }],
    ['429 at the next create', 2, { status: 429, variant: 'pending' }],
    ['402 at the next create', 2, { status: 402 }],
  ] as const)('(%s) is waited for, and `resume` tries at once', async (_, from, answer) => {
    const batchId = `quota-${from}-${answer.status}`;
    await home.emulator.setFaults({ route: 'createJob', from, fault: { type: 'status', ...answer } });
    const command = start(batchId);
    await expectSeen(batchId, 'waiting-for-quota');
    await home.emulator.clearFaults();
    await home.longhaul('resume', batchId).exits(0);
    await expectUndisturbed(batchId, command);
  });

  test('so that a job fails for it is waited for, and its rows are sent again', async () => {
    const errors = [{ message: 'Exceeded the quota of this workspace', count: 20 }];
    await home.emulator.setFaults({
      route: 'createJob',
      nth: 1,
      fault: { type: 'jobOutcome', status: 'FAILED', share: 0, errors },
    });
    const command = start('quota-job');
    await expectSeen('quota-job', 'waiting-for-quota');
    await home.longhaul('resume', 'quota-job').exits(0);
    await command.exits(0);
    const manifest = await home.manifest('quota-job');
    expect(manifest).toMatchObject({ outcome: 'succeeded', failure: null });
    expect(manifest.jobs.map(({ status }) => status)).toEqual(['FAILED', 'SUCCESS', 'SUCCESS']);
    const sent = (await home.results('quota-job')).toString('utf8').replaceAll('"round":2}', '"round":1}');
    expect(sent).toBe(undisturbed.toString('utf8'));
  });
});
