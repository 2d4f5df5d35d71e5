import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { Bench, failureOf, runActivity } from '../support/activity-env.js';
import { BATCH, ENDPOINT, jsonl, MODEL, row, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';
import type { StoreCall } from '../support/store-hooks.js';

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

async function shards(bench: Bench): Promise<string[]> {
  const paths = (await bench.files()).filter((path) => /shard-\d+\.jsonl$/.test(path));
  return Promise.all(paths.map((path) => bench.text(`${BATCH}/${path}`)));
}

describe('the bytes of a row', () => {
  it.each([
    ['a number beyond 2^53', '{"custom_id":"a","body":{"seed":9007199254740993,"x":1.10}}'],
    ['odd white space', '{ "custom_id" :\t"a" ,  "body":{ } }  '],
    ['escapes', String.raw`{"custom_id":"\u00e9\ud83d\ude00\/","body":{"t":"\u2028\u0000"}}`],
    ['a lone surrogate', String.raw`{"custom_id":"\ud800","body":{}}`],
    ['raw UTF-8', '{"custom_id":"é😀\u2028","body":{"t":"日本"}}'],
    ['a repeated key', '{"custom_id":"z","custom_id":"a","body":{"a":1,"a":2}}'],
    ['keys of prototypes', '{"custom_id":"a","body":{"__proto__":{"x":1},"constructor":1}}'],
  ])('stay as they are: %s', async (_, line) => {
    const bench = await Bench.start();
    const content = `${line}\n`;
    const prepared = await bench.prepare(content);
    expect(await shards(bench)).toEqual([content]);
    expect(prepared).toMatchObject({ rows: 1, invalid: 0, bytes: Buffer.byteLength(content) });
    expect(prepared.sha256).toBe(sha256(content));
  });

  it.each([
    ['CRLF', '{"custom_id":"a","body":{}}\r\n{"custom_id":"b","body":{}}\r\n'],
    ['a byte order mark', '\uFEFF{"custom_id":"a","body":{}}\n{"custom_id":"b","body":{}}\n'],
    ['no last line end', '{"custom_id":"a","body":{}}\n{"custom_id":"b","body":{}}'],
    ['blank lines', '\n\n{"custom_id":"a","body":{}}\n \t\r\n{"custom_id":"b","body":{}}\n\n'],
    ['returns before line ends', '{"custom_id":"a","body":{}}\r\r\n{"custom_id":"b","body":{}}\r\r\r\n'],
  ])('are all that a shard has of an input with %s', async (_, content) => {
    const bench = await Bench.start();
    await bench.prepare(content);
    expect(await shards(bench)).toEqual(['{"custom_id":"a","body":{}}\n{"custom_id":"b","body":{}}\n']);
    // What was cut can be read back.
    expect(await bench.begin()).toMatchObject({ rows: 2 });
  });

  it('are decompressed first', async () => {
    const bench = await Bench.start();
    const packed = gzipSync(rows(3));
    const uri = await bench.input(packed, 'input.jsonl.gz');
    const prepared = await bench.prepareUri(uri);
    expect(prepared).toMatchObject({ rows: 3, bytes: packed.length, sha256: sha256(packed) });
    expect(await shards(bench)).toEqual([rows(3)]);
  });
});

describe('an id that Longhaul gives', () => {
  const ids = async (bench: Bench) =>
    (await bench.lines(layout.shard(BATCH, 0))).map((line) => line['custom_id']);

  it('is put before the row, which stays as it is', async () => {
    const bench = await Bench.start();
    await bench.prepare(' { "body":{"n":9007199254740993}}\n');
    expect(await shards(bench)).toEqual([' {"custom_id":"longhaul-0", "body":{"n":9007199254740993}}\n']);
  });

  it('counts rows, not lines, and those of other rows too', async () => {
    const bench = await Bench.start();
    await bench.prepare(`\n${jsonl([row('a'), row(null)])}\n${jsonl([{}, row(null)])}`, {
      onInvalid: 'skip',
    });
    expect(await ids(bench)).toEqual(['a', 'longhaul-1', 'longhaul-3']);
  });

  it('avoids ids of that form, later ones too', async () => {
    const bench = await Bench.start();
    await bench.prepare(jsonl([row(null), row('longhaul-0'), row('longhaul--77'), row('longhaul----1')]));
    expect(await ids(bench)).toEqual(['longhaul---0', 'longhaul-0', 'longhaul--77', 'longhaul----1']);
  });
});

describe('rows that are skipped', () => {
  it('are kept with their reason, in order, repeated ids among them', async () => {
    const bench = await Bench.start();
    const content = jsonl([row('a'), row('a'), { custom_id: 'bad' }, row('b'), row('a'), '"x"', row('b')]);
    const prepared = await bench.prepare(content, { onInvalid: 'skip' });
    expect(prepared).toMatchObject({ rows: 7, invalid: 5, shards: 1 });
    const invalid = await bench.lines(layout.invalid(BATCH));
    expect(invalid.map(({ position, line, customId }) => [position, line, customId])).toEqual([
      [1, 2, 'a'],
      [2, 3, 'bad'],
      [4, 5, 'a'],
      [5, 6, null],
      [6, 7, 'b'],
    ]);
    expect(invalid[0]).toMatchObject({ reason: 'has the custom_id of line 1: each row needs its own' });
    expect(await shards(bench)).toEqual([jsonl([row('a'), row('b')])]);
  });

  it('may be all', async () => {
    const bench = await Bench.start();
    expect(await bench.prepare('{}\n[]\n', { onInvalid: 'skip' })).toMatchObject({ shards: 0, invalid: 2 });
    expect(await bench.assemble()).toMatchObject({ outcome: 'partial', rows: { total: 2, invalid: 2 } });
  });
});

describe('the cut into shards', () => {
  /** What design section 3.1 says, without thinking of memory. */
  function reference(lines: readonly string[], maxRows: number, maxBytes: number): string[] {
    const cut: string[] = [];
    let size = { rows: Infinity, bytes: 0 };
    for (const line of lines) {
      const bytes = Buffer.byteLength(line) + 1;
      if (size.rows + 1 > maxRows || size.bytes + bytes > maxBytes) {
        cut.push('');
        size = { rows: 0, bytes: 0 };
      }
      cut[cut.length - 1] += `${line}\n`;
      size = { rows: size.rows + 1, bytes: size.bytes + bytes };
    }
    return cut;
  }

  it('keeps to rows and bytes', async () => {
    const bench = await Bench.start();
    const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 30 });
    let batch = 0;
    const property = fc.asyncProperty(
      lengths,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 120, max: 400 }),
      async (fills, shardRows, shardBytes) => {
        const lines = fills.map((fill, n) =>
          JSON.stringify({ custom_id: `r${n}`, body: { t: 'é'.repeat(fill / 2) } }),
        );
        const uri = await bench.input(lines.join('\n'));
        const workflowId = `cut-${(batch += 1)}`;
        const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL, shardRows, shardBytes };
        const prepared = await bench.run('prepare', settings, { workflowId });
        const expected = reference(lines, shardRows, shardBytes);
        expect(prepared).toMatchObject({ shards: expected.length });
        for (const [shard, content] of expected.entries()) {
          expect(await bench.text(layout.shard(workflowId, shard))).toBe(content);
        }
        const plan = await bench.json(layout.plan(workflowId));
        expect(plan['shards']).toEqual(
          expected.map((content) => ({
            rows: content.split('\n').length - 1,
            bytes: Buffer.byteLength(content),
            sha256: sha256(content),
          })),
        );
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});

describe('an input that changes while it is read', () => {
  /** Rewrites the input just before the store is called so; rows are large, so that no pass reads ahead of it. */
  async function changedAt(call: StoreCall, before: string, after: string) {
    const bench = await Bench.start();
    const uri = await bench.input(before);
    let changed = false;
    const store = hookedStore(bench.store, async (made) => {
      if (made !== call || changed) return;
      changed = true;
      await bench.input(after);
    });
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    return { bench, run: () => runActivity(bench.with({ store }), 'prepare', settings) };
  }

  const large = (ids: string, count = 4) =>
    jsonl(
      Array.from({ length: count }, (_, n) => row(`${ids}${n}`, { body: { text: 'x'.repeat(300_000) } })),
    );

  it.each([
    ['longer rows', 'openWriter', large('a'), large('long')],
    ['fewer rows', 'openWriter', large('a'), large('a', 3)],
    ['rows of the same length', 'openWriter', large('a'), large('b')],
    ['rows of the same length, before the first pass', 'identity', rows(3, 'a'), rows(3, 'b')],
  ] as const)('is noticed: %s', async (_, call, before, after) => {
    const { bench, run } = await changedAt(call, before, after);
    const failure = await failureOf(run());
    expect(failure.type).toBe('IntegrityMismatch');
    expect(failure.message).toContain('changed while it was being read');
    expect(await bench.files()).not.toContain('input/plan.json');
    // Nobody writes to it any more.
    await expect(run()).resolves.toMatchObject({ kind: 'prepared' });
  });

  it('is noticed when it is compressed', async () => {
    const bench = await Bench.start();
    const uri = await bench.input(gzipSync(rows(3, 'a')), 'input.jsonl.gz');
    const store = hookedStore(bench.store, async (call) => {
      if (call === 'identity') await bench.input(gzipSync(rows(3, 'b')), 'input.jsonl.gz');
    });
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const failure = await failureOf(runActivity(bench.with({ store }), 'prepare', settings));
    expect(failure.type).toBe('IntegrityMismatch');
  });
});

describe('an attempt that was held up', () => {
  it('leaves the shards of a plan alone that another attempt has made meanwhile', async () => {
    const bench = await Bench.start();
    const uri = await bench.input(rows(6));
    const settings = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const store = hookedStore(bench.store, async (call, path) => {
      if (call !== 'openWriter' || path !== layout.shard(BATCH, 1)) return;
      await bench.run('prepare', { ...settings, shardRows: 6 });
    });
    const run = runActivity(bench.with({ store }), 'prepare', { ...settings, shardRows: 2 });
    await expect(run).resolves.toMatchObject({ kind: 'prepared', shards: 1 });
    expect(await bench.begin()).toMatchObject({ rows: 6 });
    expect(await bench.files()).not.toContain('input/shard-00001.jsonl');
  });
});
