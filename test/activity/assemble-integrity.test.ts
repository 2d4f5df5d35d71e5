import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import { countRows } from '../../batch/rows.js';
import { Bench, failureOf, runActivity } from '../support/activity-env.js';
import { assembleInput, BATCH, rows } from '../support/activity-inputs.js';
import { answer, fileOf, ScriptedRound } from '../support/scripted-round.js';
import { hookedStore } from '../support/store-hooks.js';

const RESULTS = layout.results(BATCH);
const ERRORS = layout.errors(BATCH);
const MANIFEST = layout.manifest(BATCH);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('what does not add up', () => {
  const edit = async (bench: Bench, path: string, change: (text: string) => string) =>
    writeFile(join(bench.dir, 'store', path), change(await bench.text(path)));
  const ANSWERS = roundFile.answers(layout.round(BATCH, 0, 1));

  async function answered() {
    const round = await ScriptedRound.begin(rows(3));
    await round.collect({ output: fileOf(answer('r0'), answer('r1'), answer('r2')) });
    return round;
  }

  it.each([
    ['another answer', (text: string) => text.replace('answer of r1', 'answer of XX')],
    ['an error made a success', (text: string) => text.replace('"error":null', '"error":"missing"')],
    ['a line too many', (text: string) => text + text.split('\n')[2]],
    ['a line too few', (text: string) => text.slice(text.indexOf('\n') + 1)],
    ['its end cut off', (text: string) => text.slice(0, -20)],
    ['nothing', () => ''],
    ['garbage', () => 'SECRET-GARBAGE\n'],
    ['a wrong offset', (text: string) => text.replace(/"at": *\d+/, '"at":99999')],
  ])('is IntegrityMismatch for an answers.jsonl with %s', async (_, change) => {
    const { bench } = await answered();
    await edit(bench, ANSWERS, change);
    const failure = await failureOf(bench.assemble());
    expect(failure).toMatchObject({ type: 'IntegrityMismatch', nonRetryable: false });
    expect(failure.message).toContain(bench.store.uriOf(ANSWERS));
    expect(failure.message).not.toContain('SECRET');
    expect(await bench.files()).not.toEqual(expect.arrayContaining(['manifest.json']));
    expect(await bench.files()).not.toEqual(expect.arrayContaining(['results.jsonl']));
  });

  it('is AccountingMismatch for a row that its rounds forgot, and leaves what was answered', async () => {
    const round = await answered();
    const { bench } = round;
    const kept = (await bench.text(ANSWERS)).split('\n').toSpliced(1, 1).join('\n');
    await edit(bench, ANSWERS, () => kept);
    const account = roundFile.account(layout.round(BATCH, 0, 1));
    await edit(bench, account, (text) =>
      text.replace(/("answers": \{[^}]*"sha256": ")[0-9a-f]+/, `$1${sha256(kept)}`),
    );
    const failure = await failureOf(bench.assemble());
    expect(failure).toMatchObject({ type: 'AccountingMismatch', nonRetryable: true });
    expect(failure.message).toContain('row 1 of shard 0');
    expect(failure.message).toContain(bench.store.uriOf(layout.rounds(BATCH)));
    expect(await bench.text(ANSWERS)).toBe(kept);
    expect(await bench.files()).not.toContain('manifest.json');
  });

  it.each([
    ['the shards count other rows than were written', { counted: countRows('succeeded', 3), whole: true }],
    [
      'a shard met sums that can not be true',
      { failure: { type: 'AccountingMismatch', message: 'shard 0' } },
    ],
  ] as const)('is AccountingMismatch when %s, without a manifest', async (_, input) => {
    const bench = await Bench.start();
    await bench.prepare(rows(4));
    await bench.round();
    const failure = await failureOf(bench.assemble(input));
    expect(failure).toMatchObject({ type: 'AccountingMismatch', nonRetryable: true });
    expect(failure.message).toContain(bench.store.uriOf(layout.results(BATCH)));
    expect(await bench.lines(layout.results(BATCH))).toHaveLength(4);
    expect(await bench.files()).not.toContain('manifest.json');
  });

  it('is AccountingMismatch when invalid rows are lost', async () => {
    const bench = await Bench.start();
    await bench.prepare(`${rows(1)}{}\n{}\n`, { onInvalid: 'skip' });
    await edit(bench, layout.invalid(BATCH), (text) => text.slice(0, text.indexOf('\n') + 1));
    const failure = await failureOf(bench.assemble());
    expect(failure).toMatchObject({ type: 'AccountingMismatch' });
    expect(await bench.lines(RESULTS)).toHaveLength(2);
  });

  it('quotes nothing of a file that does not read as it was written', async () => {
    const bench = await Bench.start();
    await bench.prepare(`${rows(1)}{}\n`, { onInvalid: 'skip' });
    for (const broken of ['SECRET', '{"position":"SECRET"}', '{"SECRET"']) {
      await edit(bench, layout.invalid(BATCH), () => `${broken}\n`);
      const failure = await failureOf(bench.assemble());
      expect(failure.type).toBe('IntegrityMismatch');
      expect(`${failure.message}${failure.stack ?? ''}`).not.toContain('SECRET');
    }
  });
});

describe('assemble', () => {
  it('publishes nothing in a store that has lost the plan', async () => {
    const bench = await Bench.start();
    const failure = await failureOf(bench.assemble());
    expect(failure).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    expect(await bench.files()).toEqual([]);
  });

  it('leaves no temporary file when it fails', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(1));
    for (const path of [RESULTS, ERRORS, MANIFEST]) {
      const store = hookedStore(bench.store, (call, at) => {
        if (at === path && (call === 'openWriter' || call === 'writeSmall')) throw new Error('broken');
      });
      await expect(runActivity(bench.with({ store }), 'assemble', assembleInput())).rejects.toThrow('broken');
      const left = await readdir(join(bench.dir, 'store', BATCH));
      expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });
});
