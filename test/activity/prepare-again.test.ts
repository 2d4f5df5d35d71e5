import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { attemptOf, Bench, failureOf, runActivity } from '../support/activity-env.js';
import { assembleInput, BATCH, ENDPOINT, MODEL, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';

const MANIFEST = layout.manifest(BATCH);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A batch of one shard with `outcome`, finished. */
async function finished(outcome: 'succeeded' | 'partial' | 'cancelled' | 'failed') {
  const bench = await Bench.start();
  await bench.prepare(rows(2));
  if (outcome === 'succeeded') await bench.round();
  const failure = { type: 'ProviderAuth', message: 'no key' } as const;
  const more = outcome === 'failed' ? { failure } : { cancelled: outcome === 'cancelled' };
  expect(await bench.assemble(more)).toMatchObject({ outcome, generation: 1 });
  return bench;
}

describe('a batch that was prepared before', () => {
  it('keeps its plan, whatever the sharding settings say now', async () => {
    const bench = await Bench.start();
    const first = await bench.prepare(rows(6), { shardRows: 4 });
    const plan = await bench.text(layout.plan(BATCH));
    const again = await bench.prepare(rows(6), { shardRows: 1, shardBytes: 1000, maxRounds: 7 });
    expect(again).toEqual({ ...first, resumed: true, settings: { ...first.settings, maxRounds: 7 } });
    expect(await bench.text(layout.plan(BATCH))).toBe(plan);
    expect(first.planSha256).toBe(sha256(plan));
  });

  it.each([
    ['another input', {}, rows(3), 'another input'],
    ['another model', { model: 'other' }, rows(2), 'another model'],
    ['another endpoint', { endpoint: '/v1/embeddings' }, rows(2), 'another endpoint'],
    ['another job timeout', { jobTimeout: '48h' }, rows(2), 'another job timeout'],
  ])('is refused with %s', async (_, more, content, words) => {
    const bench = await Bench.start();
    await bench.prepare(rows(2));
    const before = await bench.files();
    const failure = await failureOf(bench.prepareUri(await bench.input(content, 'again.jsonl'), more));
    expect(failure).toMatchObject({ type: 'FingerprintMismatch', nonRetryable: true });
    expect(failure.message).toContain(words);
    expect(await bench.files()).toEqual(before);
    expect(await bench.requests()).toEqual([]);
  });

  it('is refused at another provider, and knows all loopback addresses as one', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(2));
    const uri = await bench.input(rows(2));
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const at = (origin: string) =>
      runActivity(bench.with({ provider: () => ({ ...bench.provider, origin }) }), 'prepare', settings);
    await expect(at('http://[::1]:1')).resolves.toMatchObject({ resumed: true });
    const failure = await failureOf(at('https://api.example.com'));
    expect(failure.type).toBe('FingerprintMismatch');
    expect(failure.message).toContain('another base URL');
  });

  it('is refused when the input is not the one that was announced', async () => {
    const bench = await Bench.start();
    const uri = await bench.input(rows(2));
    const input = { uri, sha256: sha256(rows(3)) };
    const failure = await failureOf(bench.run('prepare', { input, endpoint: ENDPOINT, model: MODEL }));
    expect(failure.type).toBe('FingerprintMismatch');
    expect(await bench.files()).toEqual([]);
  });

  it('is refused in another store of the same name', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(2));
    await writeFile(join(bench.dir, 'store', 'store.json'), '{"id":"another","version":1}\n');
    const failure = await failureOf(bench.prepareUri(await bench.input(rows(2))));
    expect(failure.type).toBe('StorageMismatch');
    expect(failure.message).toContain('LONGHAUL_STORE');
  });

  it('prepares two attempts at once into one plan', async () => {
    const bench = await Bench.start();
    const uri = await bench.input(rows(5));
    const prepareOnce = () => bench.prepareUri(uri, { shardRows: 2 });
    // One that finds in mid-writing that the other has made the plan leaves it to its next attempt.
    const prepare = () =>
      prepareOnce().catch((error: unknown) => {
        expect(error).toMatchObject({ type: 'StorageUnavailable', nonRetryable: false });
        return prepareOnce();
      });
    const [one, two] = await Promise.all([prepare(), prepare()]);
    expect(one).toMatchObject({ kind: 'prepared', shards: 3 });
    expect(two).toMatchObject({ kind: 'prepared', shards: 3 });
    expect(await bench.begin({ shard: 2 })).toMatchObject({ rows: 1 });
  });
});

describe('a batch that is finished', () => {
  it.each(['succeeded', 'partial'] as const)('is returned: %s', async (outcome) => {
    const bench = await finished(outcome);
    const requests = await bench.requests();
    const manifest = await bench.text(MANIFEST);
    const again = await bench.prepareUri(await bench.input(rows(2)));
    expect(again).toMatchObject({ kind: 'finished', summary: { outcome, generation: 1 } });
    expect(again).toHaveProperty('summary.manifest.sha256', sha256(manifest));
    expect(await bench.text(MANIFEST)).toBe(manifest);
    expect(await bench.requests()).toEqual(requests);
  });

  it('is returned with the hash of its manifest as it stands, even one of a later version', async () => {
    const bench = await finished('succeeded');
    const text = (await bench.text(MANIFEST)).replace('{', '{ "later": true,');
    await writeFile(join(bench.dir, 'store', MANIFEST), text);
    const again = await bench.prepareUri(await bench.input(rows(2)));
    expect(again).toHaveProperty('summary.manifest.sha256', sha256(text));
  });

  it('is returned for its own input only, even without its plan', async () => {
    const bench = await finished('succeeded');
    await bench.store.remove(layout.plan(BATCH));
    await expect(bench.prepareUri(await bench.input(rows(2)))).resolves.toMatchObject({ kind: 'finished' });
    const failure = await failureOf(bench.prepareUri(await bench.input(rows(3))));
    expect(failure.type).toBe('FingerprintMismatch');
  });

  it.each([
    ['failed', {}],
    ['cancelled', {}],
    ['partial', { retry: true }],
    ['partial', { rebuyLost: true }],
  ] as const)('goes on as the next generation: %s %o', async (outcome, more) => {
    const bench = await finished(outcome);
    const manifest = await bench.text(MANIFEST);
    const again = await bench.prepare(rows(2), more);
    expect(again).toMatchObject({ kind: 'prepared', generation: 2, resumed: true });
    expect(await bench.files()).not.toContain('manifest.json');
    expect(await bench.text(layout.archivedManifest(BATCH, 1))).toBe(manifest);
    // Asked again, it is the same run.
    expect(await bench.prepare(rows(2), more)).toMatchObject({ generation: 2 });
  });

  it('does not go on when all rows succeeded', async () => {
    const bench = await finished('succeeded');
    const again = await bench.prepareUri(await bench.input(rows(2)), { retry: true, rebuyLost: true });
    expect(again).toMatchObject({ kind: 'finished' });
  });

  it('keeps what a later version wrote into its manifest when that is retired', async () => {
    const bench = await finished('cancelled');
    const text = (await bench.text(MANIFEST)).replace('{', '{ "later": true,');
    await writeFile(join(bench.dir, 'store', MANIFEST), text);
    await bench.prepare(rows(2));
    expect(await bench.text(layout.archivedManifest(BATCH, 1))).toBe(text);
  });

  it('is retired once, however often that is cut off between its two steps', async () => {
    const bench = await finished('cancelled');
    const uri = await bench.input(rows(2));
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const killed = hookedStore(bench.store, (call) => {
      if (call === 'move') throw new Error('killed');
    });
    await expect(runActivity(bench.with({ store: killed }), 'prepare', settings)).rejects.toThrow('killed');
    expect(await bench.files()).toEqual(expect.arrayContaining(['manifest.json', 'manifests/1.json']));
    expect(await bench.prepare(rows(2))).toMatchObject({ generation: 2 });
    expect(await bench.files()).not.toContain('manifest.json');
    expect(await bench.assemble({ generation: 2 })).toMatchObject({ generation: 2 });
    expect(await bench.prepareUri(uri)).toMatchObject({ kind: 'finished', summary: { generation: 2 } });
  });
});

describe('prepare', () => {
  it('stops when it is cancelled, without a trace', async () => {
    const bench = await Bench.start();
    const uri = await bench.input(rows(2));
    const attempt = attemptOf();
    attempt.cancel();
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const failure = await runActivity(bench.deps, 'prepare', settings, attempt).catch((e: unknown) => e);
    expect(failure).toMatchObject({ name: 'CancelledFailure' });
    expect(await bench.files()).toEqual([]);
  });

  it('needs the input to be there even when the batch is prepared', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(2));
    const path = join(bench.dir, 'input.jsonl');
    const content = await readFile(path);
    await rm(path);
    const uri = `file://${path}`;
    expect(await failureOf(bench.prepareUri(uri))).toMatchObject({ type: 'InvalidInput' });
    await writeFile(path, content);
    expect(await bench.prepareUri(uri)).toMatchObject({ kind: 'prepared', resumed: true });
  });

  it('writes results that a cancelled batch without a plan can show', async () => {
    const bench = await Bench.start();
    const { summary } = await bench.run('assemble', assembleInput({ generation: null, cancelled: true }));
    expect(summary).toMatchObject({ outcome: 'cancelled', generation: 1, rows: { total: 0 } });
    expect(await bench.prepare(rows(2))).toMatchObject({ generation: 2, resumed: false });
  });
});
