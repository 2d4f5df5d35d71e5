import { expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import type { Store } from '../../storage/store.js';
import { Bench, failureOf, runActivity } from '../support/activity-env.js';
import { assembleInput, BATCH, ENDPOINT, MODEL, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';
import type { StoreCall } from '../support/store-hooks.js';

const MANIFEST = layout.manifest(BATCH);
const LATER = { generation: 2, startedAt: '2026-11-22T13:00:00.000Z' } as const;

async function cancelled(): Promise<Bench> {
  const bench = await Bench.start();
  await bench.prepare(rows(2));
  expect(await bench.assemble({ cancelled: true })).toMatchObject({ outcome: 'cancelled', generation: 1 });
  return bench;
}

/** Stands still once before a call, while the next attempt and the rest of the run take place. */
function heldBefore(bench: Bench, call: StoreCall, path: string, nth = 1): Store {
  let calls = 0;
  return hookedStore(bench.store, async (called, at) => {
    if (called !== call || at !== path) return;
    calls += 1;
    if (calls === nth) await finishAgain(bench);
  });
}

async function finishAgain(bench: Bench): Promise<void> {
  await bench.prepare(rows(2));
  await bench.round();
  expect(await bench.assemble(LATER)).toMatchObject({ outcome: 'succeeded', generation: 2 });
}

async function prepareOn(bench: Bench, store: Store) {
  const uri = await bench.input(rows(2));
  return runActivity(bench.with({ store }), 'prepare', { input: { uri }, endpoint: ENDPOINT, model: MODEL });
}

it.each([
  ['before it archives the manifest', 'writeSmall', layout.archivedManifest(BATCH, 1), 1],
  ['before it looks again', 'readSmall', MANIFEST, 2],
  ['between its look and the move', 'move', MANIFEST, 1],
] as const)('a prepare that is held up %s leaves a later run its manifest', async (_, call, path, nth) => {
  const bench = await cancelled();
  const result = await prepareOn(bench, heldBefore(bench, call, path, nth));
  expect(result).toMatchObject({ kind: 'finished', summary: { outcome: 'succeeded', generation: 2 } });
  expect(await bench.json(MANIFEST)).toMatchObject({ generation: 2 });
  expect((await bench.files()).filter((file) => file.startsWith('manifests/'))).toEqual(['manifests/1.json']);
});

it('a prepare that is held up before its first look leaves its own run the end that it came to', async () => {
  const bench = await cancelled();
  let held = false;
  const store = hookedStore(bench.store, async (call, path) => {
    if (held || call !== 'readSmall' || path !== MANIFEST) return;
    held = true;
    bench.clock.advance(20_000);
    // The next attempt of the same prepare, and the rest of its run, cancelled again.
    await bench.prepare(rows(2));
    expect(await bench.assemble({ ...LATER, cancelled: true })).toMatchObject({ generation: 2 });
  });
  expect(await failureOf(prepareOn(bench, store))).toMatchObject({
    type: 'StorageUnavailable',
    nonRetryable: false,
  });
  expect(await bench.json(MANIFEST)).toMatchObject({ generation: 2, outcome: 'cancelled' });
});

it('an assemble that is held up before it retires a manifest leaves a later run its own', async () => {
  const bench = await cancelled();
  const uri = await bench.input(rows(2));
  // A run of generation 2 that found the first one's manifest written after its own prepare.
  const store = hookedStore(bench.store, async (call, path) => {
    if (call === 'move' && path === MANIFEST) await finishAgain(bench);
  });
  const input = assembleInput({ generation: 2, inputUri: uri, startedAt: '2026-11-22T12:30:00.000Z' });
  await expect(runActivity(bench.with({ store }), 'assemble', input)).rejects.toThrow(
    'taken over by a later run',
  );
  expect(await bench.json(MANIFEST)).toMatchObject({ generation: 2, outcome: 'succeeded' });
});

it('finds a later manifest that a killed process had taken away by mistake', async () => {
  const bench = await cancelled();
  const killed = hookedStore(heldBefore(bench, 'move', MANIFEST), (call, path) => {
    if (call === 'readSmall' && path.includes('/taken-')) throw new Error('killed');
  });
  await expect(prepareOn(bench, killed)).rejects.toThrow();
  expect(await bench.files()).not.toContain('manifest.json');
  const again = await bench.prepareUri(await bench.input(rows(2)));
  expect(again).toMatchObject({ kind: 'finished', summary: { generation: 2 } });
  expect(await bench.json(MANIFEST)).toMatchObject({ generation: 2, outcome: 'succeeded' });
});

it('does not put back a manifest that was retired rightly by a process that was killed then', async () => {
  const bench = await cancelled();
  const killed = hookedStore(bench.store, (call, path) => {
    if (call === 'remove' && path.includes('/taken-')) throw new Error('killed');
  });
  await expect(prepareOn(bench, killed)).rejects.toThrow();
  expect(await bench.prepare(rows(2))).toMatchObject({ kind: 'prepared', generation: 2 });
  expect((await bench.files()).filter((file) => file.startsWith('manifest'))).toEqual(['manifests/1.json']);
});

it('does not take the end of a later run for the one that it was to go on from', async () => {
  const bench = await cancelled();
  const store = hookedStore(bench.store, async (call, path) => {
    if (call !== 'move' || path !== MANIFEST) return;
    await bench.prepare(rows(2));
    await bench.assemble({ ...LATER, cancelled: true });
  });
  await expect(prepareOn(bench, store)).rejects.toMatchObject({ type: 'StorageUnavailable' });
  expect(await bench.json(MANIFEST)).toMatchObject({ generation: 2, outcome: 'cancelled' });
});
