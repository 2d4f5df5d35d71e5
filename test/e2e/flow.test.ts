import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, link, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifestSchema } from '../../schemas/manifest.js';
import { newOwnerMark } from '../../storage/owner-mark.js';
import { formatFileUri } from '../../storage/uri.js';
import { E2eHome, ENDPOINT, MODEL } from '../support/e2e-home.js';
import { expectNoProcess, pidsOf, processesOfHome } from '../support/e2e-processes.js';
import {
  answerOf,
  expectedAnswers,
  parseResults,
  quoteOf,
  readRows,
  usageSums,
} from '../support/e2e-rows.js';
import type { ChatRow } from '../support/e2e-rows.js';

const SEED = 7;
const EXAMPLE = fileURLToPath(new URL('../../examples/support-tickets.jsonl', import.meta.url));

/** A larger file of real questions, where one is at hand: LONGHAUL_E2E_INPUT. */
const { LONGHAUL_E2E_INPUT: larger } = process.env;
const INPUTS = [
  ['the example input', EXAMPLE, false],
  ...(larger === undefined ? [] : [['LONGHAUL_E2E_INPUT', resolve(larger), true] as const]),
] as const;

function factsOf(content: Buffer, rows: number) {
  return { rows, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

describe.each(INPUTS)('a run of %s', (_, path, quotes) => {
  let home: E2eHome;
  let rows: ChatRow[];

  beforeAll(async () => {
    home = await E2eHome.create({ emulator: { seed: SEED, jobSeconds: 3 } });
    rows = await readRows(path);
    expect(rows.length).toBeGreaterThanOrEqual(300);
  });

  afterAll(() => home.remove());

  /** One upload and one job since the journal had `before` entries. */
  async function expectOneJob(before: number): Promise<void> {
    const since = (await home.emulator.journal()).slice(before);
    const effects = since.filter(({ effect }) => effect !== null).map(({ route }) => route);
    expect(effects.filter((route) => route === 'uploadFile')).toHaveLength(1);
    expect(effects.filter((route) => route === 'createJob')).toHaveLength(1);
  }

  test('gives one line per row, in order, with the answer of that row, and a true manifest', async () => {
    const copy = join(home.folder, 'copy.jsonl');
    const command = await home.run(path, 'whole', '--json', '--output', copy).exits(0);

    const content = await home.results('whole');
    const results = parseResults(content);
    expect(results.map(({ custom_id }) => custom_id)).toEqual(rows.map(({ custom_id }) => custom_id));
    const answers = await expectedAnswers(await readFile(path), { seed: SEED, model: MODEL });
    for (const [index, result] of results.entries()) {
      expect(result).toEqual({
        custom_id: rows[index]?.custom_id,
        response: { status_code: 200, body: answers.get(result.custom_id ?? '') },
        error: null,
        round: 1,
      });
    }
    if (quotes) for (const [index, row] of rows.entries()) expectQuote(results[index], row);

    const manifest = await home.manifest('whole');
    const errors = await readFile(home.storePath('whole', 'errors.jsonl'));
    const { length: total } = rows;
    expect(manifest).toEqual({
      batchId: 'whole',
      generation: 1,
      outcome: 'succeeded',
      phase: 'done',
      provider: 'mistral',
      endpoint: ENDPOINT,
      model: MODEL,
      input: { uri: formatFileUri(path), ...factsOf(await readFile(path), total) },
      rows: { total, succeeded: total, failed: 0, invalid: 0, cancelled: 0, expired: 0, missing: 0 },
      jobs: [
        {
          shard: 0,
          round: 1,
          jobId: (await home.emulator.jobs())[0]?.id,
          status: 'SUCCESS',
          requests: total,
          succeeded: total,
          failed: 0,
          createdAt: expect.any(String),
          completedAt: expect.any(String),
        },
      ],
      usage: usageSums(results),
      results: { uri: formatFileUri(home.storePath('whole', 'results.jsonl')), ...factsOf(content, total) },
      errors: { uri: formatFileUri(home.storePath('whole', 'errors.jsonl')), ...factsOf(errors, 0) },
      failure: null,
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
    });
    expect(manifestSchema.parse(JSON.parse(command.stdout))).toEqual(manifest);
    expect((await readFile(copy)).equals(content)).toBe(true);
    await expectOneJob(0);
  });

  test('once more returns at once, without a request and without a server', async () => {
    await expectNoProcess(home.path);
    const content = await home.results('whole');
    const before = await home.emulator.journal();
    const command = await home.run(path, 'whole', '--json').exits(0);
    expect(processesOfHome(home.path)).toEqual([]);
    expect(await home.emulator.journal()).toEqual(before);
    expect(manifestSchema.parse(JSON.parse(command.stdout))).toEqual(await home.manifest('whole'));
    expect((await home.results('whole')).equals(content)).toBe(true);
  });

  test('once more after a power cut as the manifest was written removes its second name', async () => {
    const [place, , start, random] = newOwnerMark().split('-');
    const gone = spawnSync('true').pid;
    const manifest = home.storePath('whole', 'manifest.json');
    await link(manifest, home.storePath('whole', `.tmp-${place}-${gone}-${start}-${random}`));
    await home.run(path, 'whole').exits(0);
    await home.expectNoTempFiles();
    await access(manifest);
  });

  test('with --detach goes on in the background, and `wait` sees its end', async () => {
    const before = (await home.emulator.journal()).length;
    await home.run(path, 'detached', '--detach').exits(0);
    expect(await home.emulator.jobs('detached')).toMatchObject([{ total_requests: expect.any(Number) }]);
    expect(pidsOf(home.path, 'worker')).toHaveLength(1);
    const wait = await home.longhaul('wait', 'detached', '--json').exits(0);
    expect(manifestSchema.parse(JSON.parse(wait.stdout))).toEqual(await home.manifest('detached'));
    expect((await home.results('detached')).equals(await home.results('whole'))).toBe(true);
    await expectOneJob(before);
  });

  test('is left by Ctrl-C and picked up by the same command', async () => {
    const before = (await home.emulator.journal()).length;
    const creates = await home.emulator.effects('createJob');
    const command = home.run(path, 'interrupted');
    await home.emulator.waitFor('createJob', { count: creates + 1, until: 'effect' });
    command.interrupt();
    await command.exits(130);
    expect(command.stderr).toContain('longhaul wait interrupted');
    await home.run(path, 'interrupted').exits(0);
    expect((await home.results('interrupted')).equals(await home.results('whole'))).toBe(true);
    await expectOneJob(before);
    await expectNoProcess(home.path);
  });
});

function expectQuote(result: Parameters<typeof answerOf>[0] | undefined, row: ChatRow): void {
  expect(result === undefined ? '' : answerOf(result)).toContain(quoteOf(row));
}
