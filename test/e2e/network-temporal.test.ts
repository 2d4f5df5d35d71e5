import { tsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  ROWS,
  endsAsEver,
  expectSameEnd,
  held,
  undisturbedResults,
  whileHeld,
} from '../support/network-batch.js';
import type { Disturbance } from '../support/network-batch.js';
import { Network, untilFailed } from '../support/network.js';
import type { NetworkSite } from '../support/network.js';
import { BLACK_HOLE, RESET, SLOW } from '../support/toxiproxy.js';
import type { ToxicLink } from '../support/toxiproxy.js';

/* Faults of the network between Temporal and the worker, and between Temporal and the command line. */

const TIMEOUT_MS = 300_000;
/** A machine with other work on it. */
const SLACK_MS = 45_000;
const HEARTBEAT_MS = 15_000;
const PATIENCE_MS = 120_000;
const CALL_MS = 10_000;
const EMULATOR = { jobSeconds: 1, seed: 7 };

const ILLNESSES: readonly (readonly [string, (link: ToxicLink) => Promise<void>])[] = [
  ['resets', (link) => link.add(...RESET)],
  ['black-hole', (link) => link.add(...BLACK_HOLE)],
  ['refusals', (link) => link.down()],
];

async function heal(link: ToxicLink): Promise<void> {
  await link.up();
  await link.heal();
}

let network: Network;
let undisturbed: Buffer;
beforeAll(async () => {
  network = await Network.start();
  undisturbed = await undisturbedResults(network);
});
afterAll(() => network.stop());

const ends = (what: Disturbance): Promise<void> => endsAsEver(network, undisturbed, what);

/** When the server heard of the activity that is under way, so many times. */
async function signsOfLife({ temporal, shard: shardId }: NetworkSite, count: number): Promise<number[]> {
  const times = new Set<number>();
  const shard = temporal.client.workflow.getHandle(shardId);
  await vi.waitFor(
    async () => {
      const { raw } = await shard.describe();
      const { lastHeartbeatTime } = raw.pendingActivities?.[0] ?? {};
      if (lastHeartbeatTime) times.add(tsToMs(lastHeartbeatTime));
      expect(times.size).toBeGreaterThanOrEqual(count);
    },
    { timeout: count * HEARTBEAT_MS, interval: 250 },
  );
  return [...times];
}

const failureSchema = z.object({ failure: z.object({ type: z.string(), message: z.string() }) });

/** One document on stdout, one plain sentence, no stack. */
function expectUnavailable({ stdout, stderr }: { stdout: string; stderr: string }): void {
  const { failure } = failureSchema.parse(JSON.parse(stdout));
  expect(failure.type).toBe('TemporalUnavailable');
  expect(failure.message).toMatch(/^can't reach Temporal at 127\.0\.0\.1:\d+/);
  expect(stderr).not.toMatch(/^\s+at /m);
}

const withInput = (
  name: string,
  use: (at: NetworkSite, input: string) => Promise<void>,
  worker = true,
): Promise<void> =>
  network.withSite({ name, worker, emulator: EMULATOR }, async (at) =>
    use(at, await at.site.writeRows('rows.jsonl', ROWS)),
  );

describe.concurrent('between the command line and Temporal', { timeout: TIMEOUT_MS }, () => {
  test('an outage without end ends the waiting after two minutes, and not the batch', () =>
    withInput('waits-no-more', async (at, input) => {
      const command = at.site.run(input, at.batch, '--json');
      await at.site.emulator.waitFor('createJob', { until: 'effect' });
      await at.command.add(...BLACK_HOLE);
      const begun = Date.now();
      expectUnavailable(await command.exits(4));
      expect(Date.now() - begun).toBeLessThan(PATIENCE_MS + 2 * CALL_MS + SLACK_MS);
      await at.command.heal();
      await at.site.longhaul('wait', at.batch).exits(0);
      await expectSameEnd(at, undisturbed);
    }));

  test.each(ILLNESSES)('%s end commands by a plain message', (name, makeIll) =>
    withInput(
      `command-${name}`,
      async (at, input) => {
        await makeIll(at.command);
        const begun = Date.now();
        const commands = [
          ['run', input, '--endpoint', '/v1/chat/completions', '--model', 'mistral-small-latest'],
          ...['status', 'wait', 'cancel', 'pause'].map((command) => [command, at.batch]),
          ['list'],
          ['schedule', 'list'],
        ];
        const ended = commands.map((args) => at.site.longhaul(...args, '--json').exits(4));
        for (const command of await Promise.all(ended)) expectUnavailable(command);
        // At most to connect, and one call; all of them at once.
        expect(Date.now() - begun).toBeLessThan(2 * CALL_MS + SLACK_MS);
        for (const args of [['results', at.batch], ['worker']]) {
          const { stdout, stderr } = await at.site.longhaul(...args).exits(4);
          expect([stdout, stderr]).toEqual([
            '',
            expect.stringMatching(/^longhaul: can't reach Temporal at .*\n.+\n$/),
          ]);
        }
        expect(await at.site.emulator.journal()).toEqual([]);
      },
      false,
    ),
  );

  test.each(ILLNESSES)('%s that pass are sat out by a command that waits', (name, makeIll) =>
    withInput(`waits-${name}`, async (at, input) => {
      const command = at.site.run(input, at.batch);
      await at.site.emulator.waitFor('createJob', { until: 'effect' });
      await makeIll(at.command);
      // The batch ends, and the command can't know.
      await vi.waitFor(() => at.site.manifest(at.batch), { timeout: SLACK_MS, interval: 250 });
      await heal(at.command);
      await command.exits(0);
      await expectSameEnd(at, undisturbed);
    }),
  );

  test('a connection that is half-open is given up by a command that waits, which makes another', () =>
    withInput('waits-half-open', async (at, input) => {
      const command = at.site.run(input, at.batch);
      await at.site.emulator.waitFor('createJob', { until: 'effect' });
      at.command.halfOpen();
      const begun = Date.now();
      await command.exits(0);
      expect(Date.now() - begun).toBeLessThan(PATIENCE_MS);
      expect(at.command.swallowed).toBeGreaterThan(0);
      await expectSameEnd(at, undisturbed);
    }));

  test('a lost answer to a start ends in a message, and the same command attaches', () =>
    withInput('start-swallowed', async (at, input) => {
      // Answers come so late that the worker is at work before the command knows that it started something.
      await at.site.emulator.setFaults(held('listJobs', 'after'));
      await at.command.add({ type: 'latency', stream: 'downstream', attributes: { latency: 3_000 } });
      const first = at.site.run(input, at.batch, '--json');
      await at.site.emulator.waitFor('listJobs');
      await at.command.add(...BLACK_HOLE);
      expectUnavailable(await first.exits(4));
      await at.command.heal();
      const second = at.site.run(input, at.batch);
      await at.site.emulator.release();
      await second.exits(0);
      await expectSameEnd(at, undisturbed);
    }));

  test('a slow, jittery link in small slices changes nothing', () =>
    withInput('command-slow', async (at, input) => {
      await at.command.add(...SLOW);
      await at.site.run(input, at.batch).exits(0);
      await expectSameEnd(at, undisturbed);
    }));
});

describe.concurrent('between worker and Temporal', { timeout: TIMEOUT_MS }, () => {
  /** The worker can't report the job that it made; its silence is noticed, and the next attempt finds the job. */
  const SECOND = /^createJob [2-9]/;
  /** A connection that is reset may carry the report before; then only the answer to it is lost, and nothing is pending. */
  const SECOND_OR_NONE = /^(?:createJob [2-9]|$)/;

  test.each(ILLNESSES)('%s after a create cost a second attempt at most', (name, makeIll) =>
    ends({
      name: `worker-${name}`,
      rules: [held('createJob', 'after')],
      trouble: async (at) => {
        await whileHeld(at, 'createJob', 'after', () => makeIll(at.worker));
        const noticed = name === 'resets' ? SECOND_OR_NONE : SECOND;
        await untilFailed(at, noticed, HEARTBEAT_MS + SLACK_MS);
        await heal(at.worker);
      },
    }),
  );

  test.each(['before', 'after'] as const)(
    'an attempt whose create hangs %s its effect goes on while its successor runs on another worker: one job',
    (when) =>
      ends({
        name: `worker-overlaps-${when}`,
        // The first create may hang for longer than its heartbeats are waited for.
        env: { LONGHAUL_CREATE_SETTLE: '120s' },
        rules: [{ route: 'createJob', nth: 1, fault: { type: 'hold', when, ifAborted: 'proceed' } }],
        trouble: async (at) => {
          const { emulator } = at.site;
          await emulator.waitFor('createJob', { until: when === 'before' ? 'received' : 'effect' });
          const looked = (await emulator.journal('listJobs')).length;
          await at.worker.add(...BLACK_HOLE);
          await at.secondWorker();
          // The successor has looked for the job; the first attempt has no answer yet, and nobody has told it to stop.
          await emulator.waitFor('listJobs', { count: looked + 1, until: 'answered' });
          expect(await emulator.journal('createJob')).toMatchObject([{ status: null }]);
          await emulator.release();
          await emulator.waitFor('createJob', { until: 'answered' });
          expect(await emulator.journal('createJob')).toMatchObject([{ status: 200 }]);
        },
      }),
  );

  test('connections that are half-open are given up by the worker, which makes others', () =>
    ends({
      name: 'worker-half-open',
      rules: [held('createJob', 'after')],
      trouble: async (at) => {
        await whileHeld(at, 'createJob', 'after', async () => at.worker.halfOpen());
        await untilFailed(at, SECOND_OR_NONE, HEARTBEAT_MS + SLACK_MS);
        expect(at.worker.swallowed).toBeGreaterThan(0);
      },
    }));

  test('signs of life come so often that one may be late', () =>
    ends({
      name: 'worker-lives',
      rules: [held('uploadFile', 'before')],
      trouble: async (at) => {
        await at.site.emulator.waitFor('uploadFile');
        const [first = 0, second = 0, third = 0] = await signsOfLife(at, 3);
        expect(Math.min(second - first, third - second)).toBeLessThan(HEARTBEAT_MS / 2);
        await at.site.emulator.release();
      },
    }));

  test('a slow, jittery link in small slices changes nothing', () =>
    ends({
      name: 'worker-slow',
      rules: [],
      trouble: async (at) => {
        await at.worker.add(...SLOW);
        await at.site.emulator.waitFor('fileContent', { until: 'answered' });
      },
    }));
});
