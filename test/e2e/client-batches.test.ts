import { mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BatchProgress, Longhaul } from '../../client/index.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { ClientWorld, collect } from '../support/client-world.js';
import { E2eTemporal } from '../support/e2e-temporal.js';

/** Long enough to be watched, paused and cancelled in the middle. */
const JOB_SECONDS = 4;

let world: ClientWorld;
let longhaul: Longhaul;
beforeAll(async () => {
  world = await ClientWorld.create({ emulator: { jobSeconds: JOB_SECONDS } });
  await world.startWorker();
  longhaul = await world.connect();
});
afterAll(() => world.remove());

/** Returns once the provider has a job of the batch. */
async function untilJobRuns(batchId: string): Promise<void> {
  await vi.waitFor(async () => expect(await world.emulator.jobs(batchId)).toHaveLength(1), {
    timeout: 30_000,
    interval: 100,
  });
}

describe('a batch from start to end', () => {
  let states: BatchProgress[];
  let batchId: string;

  it('runs to its manifest, and its progress ends with the last state', async () => {
    const options = await world.batch('tickets', 12);
    const handle = await longhaul.start(options);
    batchId = handle.batchId;
    expect(batchId).toMatch(/^tickets-[0-9a-f]{12}$/);
    expect(handle.attached).toBe(false);
    states = await collect(handle.progress({ intervalMs: 250 }));
    const last = states.at(-1);
    expect(last).toMatchObject({
      batchId,
      phase: 'done',
      rows: { total: 12, succeeded: 12, unanswered: 0 },
      shards: { total: 1, running: 0, done: 1 },
    });
    const manifest = await handle.result();
    expect(manifestSchema.parse(manifest)).toMatchObject({
      outcome: 'succeeded',
      input: { rows: 12 },
      jobs: [{ status: 'SUCCESS', succeeded: 12 }],
    });
    expect(await handle.status()).toEqual(manifest);
  });

  it('showed phases in their order, and the job with the provider’s own word', () => {
    const phases = states.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1]);
    expect(phases.join(' ')).toMatch(/^(preparing )?running (assembling )?done$/);
    const jobs = states.flatMap((state) => state.jobs);
    expect(jobs.map(({ status }) => status)).toContain('RUNNING');
    expect(states.every(({ rows }) => rows.total === 0 || rows.total === 12)).toBe(true);
  });

  it('gives its results row by row and as bytes', async () => {
    const handle = await longhaul.attach(batchId);
    const lines = await collect(handle.results());
    expect(lines.map((line) => line.custom_id)).toEqual(Array.from({ length: 12 }, (_, n) => `tickets-${n}`));
    expect(lines.every(({ error, response }) => error === null && response?.status_code === 200)).toBe(true);
    expect(await collect(handle.errors())).toEqual([]);
    const bytes = Buffer.concat(await collect(handle.resultBytes()));
    expect(bytes).toEqual(await readFile(fileURLToPath(handle.resultsUri)));
  });

  it('is there at once when started again, without Temporal and without the provider', async () => {
    const before = (await world.emulator.journal()).length;
    const offline = await world.connect({ address: '127.0.0.1:1' });
    const handle = await offline.start(await world.batch('tickets', 12));
    expect(handle).toMatchObject({ batchId, attached: true });
    expect((await handle.result()).outcome).toBe('succeeded');
    expect((await collect(handle.progress())).map(({ phase }) => phase)).toEqual(['done']);
    expect(await handle.cancel()).toBe(false);
    expect(await world.emulator.journal()).toHaveLength(before);
  });

  it('is not taken for another one under the same id', async () => {
    const options = await world.batch('other', 3);
    await expect(longhaul.start({ ...options, id: batchId })).rejects.toMatchObject({
      name: 'LonghaulError',
      type: 'FingerprintMismatch',
      message: expect.stringContaining('another input'),
    });
  });

  it('is listed, by outcome too', async () => {
    const listed = async (options: Parameters<Longhaul['list']>[0]) => collect(longhaul.list(options));
    const isListed = async (): Promise<void> => {
      const [entry] = await listed({ outcome: 'succeeded', limit: 1 });
      expect(entry).toMatchObject({
        batchId,
        status: 'COMPLETED',
        phase: 'done',
        outcome: 'succeeded',
        provider: 'mistral',
        model: 'mistral-small-latest',
        endpoint: '/v1/chat/completions',
        rows: 12,
        rowsFailed: 0,
      });
      expect(entry?.closedAt).not.toBeNull();
    };
    await vi.waitFor(isListed, { timeout: 10_000, interval: 100 });
    expect(await listed({ outcome: 'failed' })).toEqual([]);
    expect(await listed({ phase: 'waiting-for-auth' })).toEqual([]);
  });
});

describe('a batch that runs', () => {
  it('is attached to by a second start, with live numbers in the manifest’s shape', async () => {
    const options = await world.batch('second', 6);
    const first = await longhaul.start(options);
    await untilJobRuns(first.batchId);
    const second = await (await world.connect()).start(options);
    expect(second).toMatchObject({ batchId: first.batchId, attached: true });
    const isLive = async (): Promise<void> => {
      const status = await second.status();
      expect(manifestSchema.parse(status)).toMatchObject({
        outcome: null,
        phase: 'running',
        model: options.model,
        input: { rows: 6 },
        rows: { total: 6, succeeded: 0 },
        jobs: [{ shard: 0, round: 1, status: 'RUNNING', requests: 6 }],
        results: null,
        finishedAt: null,
      });
    };
    await vi.waitFor(isLive, { timeout: 20_000, interval: 200 });
    await expect(collect(second.results())).rejects.toMatchObject({ type: 'NotFinished' });
    expect((await second.result()).outcome).toBe('succeeded');
    expect((await world.emulator.jobs(first.batchId)).length).toBe(1);
  });

  it('refuses another batch under its id, and goes on', async () => {
    const options = { ...(await world.batch('mine', 4)), id: 'one-name' };
    const handle = await longhaul.start(options);
    const theirs = { ...(await world.batch('theirs', 4)), id: 'one-name' };
    await expect(longhaul.start(theirs)).rejects.toMatchObject({ type: 'FingerprintMismatch' });
    expect((await handle.result()).rows.succeeded).toBe(4);
  });

  it('is cancelled by signal, and keeps what was answered', async () => {
    const handle = await longhaul.start(await world.batch('signal', 6));
    await untilJobRuns(handle.batchId);
    expect(await handle.cancel({ reason: 'wrong file', wait: true })).toBe(true);
    const manifest = await handle.result();
    expect(manifest).toMatchObject({ outcome: 'cancelled', jobs: [{ status: 'CANCELLED' }] });
    expect(manifest.rows.succeeded + manifest.rows.cancelled).toBe(6);
    expect(await handle.cancel()).toBe(false);
    expect(await collect(handle.results())).toHaveLength(6);
  });

  it('is cancelled by update, acknowledged, and runs again to the end', async () => {
    const options = await world.batch('update', 6);
    const handle = await longhaul.start(options);
    await untilJobRuns(handle.batchId);
    expect(await handle.cancel({ acknowledge: true, mode: 'discard' })).toBe(true);
    expect((await handle.result()).outcome).toBe('cancelled');
    const again = await longhaul.start(options);
    expect(again).toMatchObject({ batchId: handle.batchId, attached: false });
    expect(await again.result()).toMatchObject({
      outcome: 'succeeded',
      generation: 2,
      rows: { succeeded: 6 },
    });
  });

  it('is paused before a job is made, and resumed', async () => {
    await world.stopWorker();
    const handle = await longhaul.start(await world.batch('pause', 4));
    expect(await handle.pause()).toBe(true);
    await world.startWorker();
    await vi.waitFor(async () => expect((await handle.status()).phase).toBe('paused'), {
      timeout: 20_000,
      interval: 200,
    });
    expect(await world.emulator.jobs(handle.batchId)).toEqual([]);
    expect(await handle.resume({ acknowledge: true })).toBe(true);
    await untilJobRuns(handle.batchId);
    expect(await handle.pollNow()).toBe(true);
    expect((await handle.result()).outcome).toBe('succeeded');
  });

  it('is left at once by a client that is closed, whatever it waits for', async () => {
    const { batchId } = await longhaul.start(await world.batch('left', 2));
    const leaving = await world.connect();
    const handle = await leaving.attach(batchId);
    const states = handle.progress({ intervalMs: 3_600_000 })[Symbol.asyncIterator]();
    await states.next();
    const closed = { type: 'TemporalUnavailable', message: 'this client was closed' };
    const waits = [handle.result(), states.next()].map((wait) => expect(wait).rejects.toMatchObject(closed));
    await untilJobRuns(batchId);
    const began = performance.now();
    await leaving.close();
    await Promise.all(waits);
    await expect(handle.status()).rejects.toMatchObject(closed);
    // The batch itself takes longer.
    expect(performance.now() - began).toBeLessThan(2_000);
    await (await longhaul.attach(batchId)).result();
  });

  it('reads a staged input from the store, compressed too', async () => {
    const { input, ...options } = await world.batch('staged', 3);
    const packed = join(world.folder, 'packed.jsonl.gz');
    await writeFile(packed, gzipSync(await readFile(input)));
    const handle = await longhaul.start({ ...options, input: packed, stageInput: true });
    const manifest = await handle.result();
    expect(manifest).toMatchObject({ outcome: 'succeeded', input: { rows: 3 } });
    expect(manifest.input?.uri).toContain(`${longhaul.storeUri}/${handle.batchId}/input/source-`);
  });
});

describe('a batch that cannot run', () => {
  it('throws the failure of prepare, with line numbers', async () => {
    const input = await world.file('bad.jsonl', '{"custom_id":"a","body":{}}\nnot json\n');
    const options = { input, endpoint: '/v1/chat/completions', model: 'mistral-small-latest' };
    const handle = await longhaul.start(options);
    await expect(handle.result()).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('2'),
    });
    expect((await collect(handle.progress())).at(-1)).toMatchObject({ phase: 'done' });
    expect(await handle.status()).toMatchObject({ outcome: 'failed', failure: { type: 'InvalidInput' } });
    const attached = await longhaul.attach(handle.batchId);
    for (const read of [handle.results(), handle.errorBytes(), attached.errors(), attached.resultBytes()]) {
      await expect(collect<unknown>(read)).rejects.toMatchObject({ type: 'NoResults' });
    }
  });

  it('is refused by what is no id at all, as callers in JavaScript may give it', async () => {
    for (const id of [undefined, null, 5, {}]) {
      await expect(longhaul.attach(id as never)).rejects.toMatchObject({ type: 'InvalidInput' });
      const created = longhaul.schedules.create(id as never, undefined as never);
      await expect(created).rejects.toMatchObject({ type: 'InvalidInput' });
    }
  });

  it('says that a workflow was terminated', async () => {
    const handle = await longhaul.start(await world.batch('terminated', 3));
    await untilJobRuns(handle.batchId);
    await world.temporal.client.workflow.getHandle(handle.batchId).terminate('by hand');
    await expect(handle.result()).rejects.toMatchObject({
      type: 'BatchTerminated',
      message: expect.stringContaining('by hand'),
    });
  });

  it('is unknown when nobody has heard of it', async () => {
    await expect(longhaul.attach('never-started')).rejects.toMatchObject({ type: 'UnknownBatch' });
  });
});

describe('an input that the worker may not read', () => {
  it.each([
    ['lies elsewhere', 'InputNotAllowed', (_: string, file: string) => file],
    [
      'is reached by way of ..',
      'InvalidInput',
      (folder: string, file: string) => `${folder}/x/../../${basename(dirname(file))}/rows.jsonl`,
    ],
    [
      'is reached by a link',
      'InputNotAllowed',
      async (folder: string, file: string) => {
        await symlink(file, join(folder, 'link.jsonl'));
        return join(folder, 'link.jsonl');
      },
    ],
  ])('is refused, whoever asks, when it %s', async (how, type, pathOf) => {
    const outside = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-outside-')));
    const temporal = await E2eTemporal.connect(world.temporal.address, 'default');
    try {
      await writeFile(join(outside, 'rows.jsonl'), '{"body":{"messages":[{"role":"user","content":"?"}]}}\n');
      const path = await pathOf(world.folder, join(outside, 'rows.jsonl'));
      const handle = await temporal.client.workflow.start('runBatch', {
        workflowId: `outside-${how.replaceAll(/\W/g, '-')}`,
        taskQueue: 'longhaul',
        args: [{ input: { uri: `file://${path}` }, endpoint: '/v1/chat/completions', model: 'm' }],
      });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type } });
      expect(await world.emulator.jobs(handle.workflowId)).toEqual([]);
    } finally {
      await temporal.close();
      await rm(outside, { recursive: true, force: true });
    }
  });
});
