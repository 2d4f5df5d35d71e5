import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../batch/wire-names.js';
import { Longhaul } from '../../client/index.js';
import { ClientWorld, collect } from '../support/client-world.js';

let world: ClientWorld;
let longhaul: Longhaul;
beforeAll(async () => {
  world = await ClientWorld.create({ searchAttributes: false, emulator: { jobSeconds: 3 } });
  longhaul = await world.connect();
});
afterAll(() => world.remove());

it('starts and schedules nothing where search attributes are missing, and registers them once', async () => {
  const options = await world.batch('early');
  const names = Object.keys(SEARCH_ATTRIBUTES);
  expect(await longhaul.missingSearchAttributes()).toEqual(names);
  const refused = { type: 'NotSetUp', message: expect.stringContaining('longhaul setup') };
  await expect(longhaul.start(options)).rejects.toMatchObject(refused);
  await expect(longhaul.schedules.create('early', { ...options, every: '1h' })).rejects.toMatchObject(
    refused,
  );
  expect(await longhaul.setup()).toEqual(names);
  expect(await longhaul.setup()).toEqual([]);
  expect(await longhaul.missingSearchAttributes()).toEqual([]);
});

describe('a batch without a worker', () => {
  it('shows what Temporal knows, says that nobody answers, and goes on when a worker comes', async () => {
    const handle = await longhaul.start(await world.batch('alone'));
    expect(await longhaul.workerCount()).toEqual({
      workflows: 0,
      provider: 0,
      transfer: 0,
      passedOver: [],
    });
    expect(await longhaul.hasWorkers()).toBe(false);
    const states = handle.progress({ intervalMs: 100 })[Symbol.asyncIterator]();
    expect(await states.next()).toMatchObject({ value: { batchId: handle.batchId, phase: 'preparing' } });
    await expect(handle.pollNow({ acknowledge: true })).rejects.toMatchObject({ type: 'NoWorker' });
    await world.startWorker();
    await vi.waitFor(async () => expect(await longhaul.hasWorkers()).toBe(true), { timeout: 20_000 });
    expect((await collect(handle.progress())).at(-1)).toMatchObject({
      phase: 'done',
      rows: { succeeded: 5 },
    });
    expect((await handle.result()).outcome).toBe('succeeded');
  });

  it('keeps its numbers while a killed worker is away', async () => {
    const handle = await longhaul.start(await world.batch('killed', 7));
    await vi.waitFor(async () => expect((await handle.status()).phase).toBe('running'), { timeout: 20_000 });
    const states = handle.progress({ intervalMs: 100 })[Symbol.asyncIterator]();
    await states.next();
    await world.stopWorker('SIGKILL');
    for (let seen = 0; seen < 2; seen += 1) {
      expect(await states.next()).toMatchObject({ value: { phase: 'running', rows: { total: 7 } } });
    }
    expect(await handle.status()).toMatchObject({ outcome: null, input: { rows: 7 } });
    await world.startWorker();
    expect((await handle.result()).outcome).toBe('succeeded');
  });
});

it('ends a wait at once when its signal aborts', async () => {
  await world.stopWorker();
  const handle = await longhaul.start(await world.batch('left'));
  const controller = new AbortController();
  const waiting = handle.result({ signal: controller.signal });
  const watching = (async () => {
    for await (const state of handle.progress({ intervalMs: 60_000, signal: controller.signal })) {
      if (state.phase === 'preparing') controller.abort(new Error('enough'));
    }
  })();
  // Both at once: one that fails while only the other is awaited ends the whole suite.
  await Promise.all([expect(watching).rejects.toThrow('enough'), expect(waiting).rejects.toThrow('enough')]);
});

it('says when Temporal can not be reached, and which namespace it lacks', async () => {
  const nowhere = await world.connect({ address: '127.0.0.1:1' });
  await expect(nowhere.ping()).rejects.toMatchObject({
    type: 'TemporalUnavailable',
    message: expect.stringContaining('127.0.0.1:1'),
    remedy: expect.stringContaining('TEMPORAL_ADDRESS'),
  });
  await expect(longhaul.ping()).resolves.toBeUndefined();
  const elsewhere = await world.connect({ namespace: 'elsewhere' });
  await expect(elsewhere.ping()).rejects.toMatchObject({ type: 'TemporalRefused' });
});

it('finds the server of a home by its file', async () => {
  const { address } = world.temporal;
  await world.file('server.json', JSON.stringify({ address, namespace: 'default', uiUrl: 'http://ui:1' }));
  vi.stubEnv('TEMPORAL_ADDRESS', undefined);
  const client = await Longhaul.connect({ home: world.folder, baseUrl: world.emulator.url });
  try {
    await client.ping();
    expect((await client.attach('left-0').catch(() => null)) ?? null).toBeNull();
  } finally {
    await client.close();
    vi.unstubAllEnvs();
  }
});
