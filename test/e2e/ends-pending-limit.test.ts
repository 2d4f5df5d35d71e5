import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { holdHome } from '../support/e2e-embedded.js';
import { E2eHome } from '../support/e2e-home.js';
import { parseResults, questions, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';

/** The provider's limit of pending requests: a job that finds no room waits for it, and is bought once. */

const LIMIT = 20;
const WAIT = { timeout: 60_000, interval: 200 };

let home: E2eHome;
let session: EmbeddedSession;
let temporal: E2eTemporal;

beforeAll(async () => {
  home = await E2eHome.create({ emulator: { maxPendingRequests: LIMIT, jobSeconds: 2 } });
  session = await holdHome(home);
  temporal = await E2eTemporal.connect(session.address, session.namespace);
});

afterAll(async () => {
  await temporal.close();
  await session.close();
  await home.remove();
});

test('a shard without room waits until another one has ended, and `resume` tries at once', async () => {
  const input = await writeRows(join(home.folder, 'two-shards.jsonl'), questions(2 * LIMIT));
  const command = home.run(input, 'no-room', '--shard-rows', String(LIMIT), '--max-jobs', '2');
  await untilRefused(1);
  await vi.waitFor(
    async () => expect(await temporal.isInPhase('no-room', 'waiting-for-quota')).toBe(true),
    WAIT,
  );
  expect(await phaseOf('no-room')).toBe('waiting-for-quota');
  await vi.waitFor(async () => {
    expect(await home.emulator.jobs('no-room')).toMatchObject([{ status: 'SUCCESS' }]);
  }, WAIT);
  await home.longhaul('resume', 'no-room').exits(0);
  await command.exits(0);
  await expectWhole('no-room', 2 * LIMIT, 2);
});

test('a limit that is told as 422 is waited for too, before the first job', async () => {
  const refusal = { type: 'status', status: 422, variant: 'pending' };
  await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: refusal });
  const input = await writeRows(join(home.folder, 'one-shard.jsonl'), questions(LIMIT));
  const command = home.run(input, 'told-otherwise');
  await untilRefused(2);
  await vi.waitFor(
    async () => expect(await temporal.isInPhase('told-otherwise', 'waiting-for-quota')).toBe(true),
    WAIT,
  );
  expect(await phaseOf('told-otherwise')).toBe('waiting-for-quota');
  await home.longhaul('resume', 'told-otherwise').exits(0);
  await command.exits(0);
  await expectWhole('told-otherwise', LIMIT, 1);
});

async function untilRefused(times: number): Promise<void> {
  await vi.waitFor(async () => {
    const creates = await home.emulator.journal('createJob');
    expect(creates.filter(({ status }) => status === 429 || status === 422)).toHaveLength(times);
  }, WAIT);
}

async function phaseOf(id: string): Promise<string> {
  const { stdout } = await home.longhaul('status', id, '--json').exits(0);
  return manifestSchema.parse(JSON.parse(stdout)).phase;
}

async function expectWhole(id: string, rows: number, jobs: number): Promise<void> {
  const results = parseResults(await home.results(id));
  expect(results.map(({ custom_id }) => custom_id)).toEqual(
    questions(rows).map(({ custom_id }) => custom_id),
  );
  expect(results.every(({ error }) => error === null)).toBe(true);
  expect(await home.emulator.jobs(id)).toHaveLength(jobs);
  expect(await home.manifest(id)).toMatchObject({ outcome: 'succeeded', failure: null });
}
