import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CliFolder, failureOf, manifestOf, QUICK, resultLines } from './cli-support.js';

let cli: CliFolder;
beforeAll(async () => {
  cli = await CliFolder.create();
});
afterAll(() => cli.remove());

beforeEach(async () => {
  await fetch(`${cli.emulator.url}/_emulator/faults`, { method: 'DELETE' });
});

/** The emulator's answers quote the row's question. */
function expectAnswers(text: string, name: string, rows: number): void {
  const lines = resultLines(text);
  expect(lines).toHaveLength(rows);
  for (const [n, line] of lines.entries()) {
    expect(line).toMatchObject({ custom_id: `row-${n}`, error: null });
    expect(JSON.stringify(line.response?.body)).toContain(`${name} ${n}\\"`);
  }
}

describe('run', () => {
  it('answers each row in its place, copies the results and gives an account', async () => {
    const input = await cli.input('plain.jsonl', 40);
    const before = { uploads: await cli.calls('uploadFile'), jobs: await cli.calls('createJob') };
    const ended = await cli.run('run', input, ...QUICK, '--output', 'plain.out', '--json');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(
      /Workflow: http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/plain-[0-9a-f]{12}/,
    );
    const manifest = manifestOf(ended);
    expect(manifest).toMatchObject({
      outcome: 'succeeded',
      rows: { total: 40, succeeded: 40 },
      jobs: [{ status: 'SUCCESS' }],
    });
    expectAnswers(await cli.read('plain.out'), 'plain.jsonl', 40);
    expect(await cli.calls('uploadFile')).toBe(before.uploads + 1);
    expect(await cli.calls('createJob')).toBe(before.jobs + 1);

    const results = await cli.run('results', manifest.batchId);
    expect(results).toMatchObject({ code: 0, stdout: await cli.read('plain.out') });
    const rows = await cli.read(input);
    const over = await cli.run('results', manifest.batchId, '--output', input);
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('is the input itself')]);
    expect(await cli.read(input)).toBe(rows);
    const status = await cli.run('status', manifest.batchId, '--json');
    expect(manifestOf(status)).toEqual(manifest);
  });

  it('returns a finished batch at once: no server, no request to the provider', async () => {
    const input = await cli.input('twice.jsonl', 3);
    const first = manifestOf(await cli.run('run', input, ...QUICK, '--json'));
    await cli.run('stop');
    const requests = (await cli.journal()).length;
    const again = await cli.run('run', input, ...QUICK, '--json', '--output', 'twice.out');
    expect(manifestOf(again)).toEqual(first);
    expect(again.stderr).not.toContain('starting');
    expectAnswers(await cli.read('twice.out'), 'twice.jsonl', 3);
    for (const command of ['wait', 'status'] as const) {
      const ended = await cli.run(command, first.batchId, '--json');
      expect(manifestOf(ended)).toEqual(first);
      expect(ended.stderr).not.toContain('starting');
    }
    expect(await cli.run('cancel', first.batchId)).toMatchObject({ code: 0 });
    expect((await cli.journal()).length).toBe(requests);
  });

  it('reads stdin and prints nothing but progress without --json', async () => {
    const stdin = await cli.read(await cli.input('piped.jsonl', 3));
    const { code, stdout, stderr } = await cli.start(['run', '-', ...QUICK], { stdin }).ended;
    expect([code, stdout]).toEqual([0, '']);
    const [, batchId = ''] = /batch +(stdin-[0-9a-f]{12})\n/.exec(stderr) ?? [];
    expectAnswers((await cli.run('results', batchId)).stdout, 'piped.jsonl', 3);
    expect(await cli.start(['run', '-', ...QUICK], { stdin }).ended).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('finished already') as string,
    });
  });

  it('exits 3 when rows did not succeed, and lists them; --retry sends them once more', async () => {
    const input = await cli.input('flaky.jsonl', 5);
    const fault = { type: 'rowErrors', customIds: ['row-3'], attempts: 1, status: 400 };
    await cli.fault({ route: 'createJob', fault, count: 1 });
    const ended = await cli.run('run', input, ...QUICK, '--json');
    expect(ended.code, ended.stderr).toBe(3);
    const { batchId, rows } = manifestOf(ended);
    expect(rows).toMatchObject({ total: 5, succeeded: 4, failed: 1 });
    const errors = await cli.run('results', batchId, '--errors', '--output', 'errors.jsonl');
    expect(errors).toMatchObject({ code: 0, stdout: '' });
    expect(JSON.parse(await cli.read('errors.jsonl'))).toMatchObject({
      custom_id: 'row-3',
      error: { type: 'http_error', status_code: 400 },
      line: 4,
    });
    expect((await cli.run('run', input, ...QUICK)).code).toBe(3);
    const more = ['--retry', '--shard-rows', '2', '--output', 'flaky.out'];
    const retried = await cli.run('run', input, ...QUICK, ...more);
    expect(retried.code, retried.stderr).toBe(0);
    expect(retried.stderr).toContain('other sharding settings are ignored');
    expectAnswers(await cli.read('flaky.out'), 'flaky.jsonl', 5);
  });

  it('exits 2 for invalid rows with their lines, having sent nothing; --on-invalid skip carries them along', async () => {
    const [first, second] = (await cli.read(await cli.input('good.jsonl', 2))).split('\n');
    await cli.write('bad.jsonl', `${first}\noops\n${second}\n`);
    const requests = (await cli.journal()).length;
    const refused = await cli.run('run', 'bad.jsonl', ...QUICK, '--json');
    expect(refused.code, refused.stderr).toBe(2);
    expect(failureOf(refused).type).toBe('InvalidInput');
    expect(refused.stderr).toContain('bad.jsonl: 1 row is not valid, of 3\n  line 2 is not valid JSON');
    const piped = await cli.start(['run', '-', ...QUICK, '--json'], { stdin: 'oops\n' }).ended;
    expect(piped.code, piped.stderr).toBe(2);
    expect(failureOf(piped).message).toContain('stdin: 1 row is not valid, of 1\n  line 1 is not valid JSON');
    expect(piped.stderr).not.toContain('source-');
    expect((await cli.journal()).length).toBe(requests);

    const skipped = await cli.run(
      'run',
      'bad.jsonl',
      ...QUICK,
      '--on-invalid',
      'skip',
      '--output',
      'bad.out',
    );
    expect(skipped.code, skipped.stderr).toBe(3);
    expect(resultLines(await cli.read('bad.out')).map(({ error }) => error?.type ?? null)).toEqual([
      null,
      'invalid_row',
      null,
    ]);
  });

  it('exits 4 with the reason and what to do when the key is refused', async () => {
    const input = await cli.input('refused.jsonl', 2);
    await cli.fault({ route: 'listJobs', fault: { type: 'status', status: 401 } });
    const ended = await cli.run('run', input, ...QUICK);
    expect(ended.code, ended.stderr).toBe(4);
    expect(ended.stderr).toContain('ProviderAuth');
    expect(ended.stderr).toMatch(/Set MISTRAL_API_KEY .*run the same command again/);
  });

  it('refuses another input under an id that is taken', async () => {
    const [one, two] = [await cli.input('one.jsonl', 2), await cli.input('two.jsonl', 2)];
    expect((await cli.run('run', one, ...QUICK, '--id', 'taken')).code).toBe(0);
    const ended = await cli.run('run', two, ...QUICK, '--id', 'taken', '--json');
    expect(ended.code).toBe(2);
    expect(failureOf(ended)).toMatchObject({ type: 'FingerprintMismatch' });
  });
});

describe('results', () => {
  it('survive a reader that has seen enough', async () => {
    const input = await cli.input('long.jsonl', 400);
    const { batchId } = manifestOf(await cli.run('run', input, ...QUICK, '--json'));
    const results = cli.start(['results', batchId]);
    await results.said('stdout', /\n/);
    results.child.stdout?.destroy();
    const { code, stderr } = await results.ended;
    expect([code, stderr]).toEqual([0, '']);
  });

  it('of a batch that nobody knows: exit 2', async () => {
    for (const command of ['results', 'status', 'wait', 'cancel', 'pause', 'resume']) {
      const { code, stderr } = await cli.run(command, 'nobody-knows');
      expect([command, code]).toEqual([command, 2]);
      expect(stderr).toContain('nobody-knows');
    }
  });
});

describe('dev', () => {
  it('brings an emulator, which other commands find without any variable', async () => {
    const env = { LONGHAUL_HOME: join(cli.folder, 'dev-home'), MISTRAL_BASE_URL: '' };
    const dev = cli.start(['dev', '--json'], { env });
    const addresses = JSON.parse(await dev.said('stdout', /\n/)) as { readonly baseUrl: string };
    expect(addresses).toEqual({
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      uiUrl: expect.stringMatching(/^http:/) as string,
      baseUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    });
    await cli.write('no-row.jsonl', 'oops\n');
    expect((await cli.start(['run', 'no-row.jsonl', ...QUICK], { env }).ended).code).toBe(2);
    const journal = await fetch(`${addresses.baseUrl}/_emulator/journal`);
    expect(await journal.json(), 'what was sent of an invalid input').toEqual({ requests: [] });
    await cli.input('dev.jsonl', 3);
    const ended = await cli.start(['run', 'dev.jsonl', ...QUICK, '--output', 'dev.out'], { env }).ended;
    expect(ended.code, ended.stderr).toBe(0);
    expectAnswers(await cli.read('dev.out'), 'dev.jsonl', 3);
    const second = await cli.start(['dev', '--json'], { env }).ended;
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('runs in') as string]);
    dev.child.kill('SIGINT');
    expect((await dev.ended).code).toBe(0);
    // Its emulator is gone, and nobody has a key.
    await cli.input('late.jsonl', 3);
    const late = await cli.start(['run', 'late.jsonl', ...QUICK], { env }).ended;
    expect([late.code, late.stderr]).toEqual([2, expect.stringContaining('does not answer') as string]);
    const again = cli.start(['dev', '--json'], { env });
    expect(JSON.parse(await again.said('stdout', /\n/))).toMatchObject({
      baseUrl: addresses.baseUrl,
    });
    again.child.kill('SIGINT');
    await again.ended;
    await cli.start(['stop'], { env }).ended;
  });
});

describe('clean', () => {
  it('shows finished batches, removes them with --yes, and touches nothing else', async () => {
    const input = await cli.input('old.jsonl', 2);
    const { batchId } = manifestOf(await cli.run('run', input, ...QUICK, '--id', 'old', '--json'));
    await appendFile(join(cli.home, 'store', 'not-a-batch.txt'), 'kept');
    const shown = await cli.run('clean', '--older-than', '1ms', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ removed: false });
    expect(shown.stdout).toContain(`"batchId":"${batchId}"`);
    expect((await cli.run('results', batchId)).code).toBe(0);
    expect((await cli.run('clean', '--older-than', '30d', '--json')).stdout).toContain('"batches":[]');
    expect((await cli.run('clean', '--older-than', '1ms', '--yes')).code).toBe(0);
    expect((await cli.run('results', batchId)).code).not.toBe(0);
    expect(await cli.read('home/store/not-a-batch.txt')).toBe('kept');
  });

  it('leaves a batch whose results are gone, which is not said to have failed', async () => {
    const worker = cli.start(['worker']);
    await worker.said('stderr', /The worker runs/);
    const { code, stderr } = await cli.run('results', 'old');
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(/batch old ended as succeeded\. .*longhaul clean/);
    expect(stderr).not.toMatch(/failed|Results:/);
    worker.child.kill('SIGINT');
    await worker.ended;
  });
});

describe('doctor', () => {
  it('finds all well with an emulator, and says what to do about a refused key', async () => {
    const well = await cli.run('doctor', '--json');
    expect(well.code, well.stdout).toBe(0);
    expect(JSON.parse(well.stdout)).toMatchObject({ ok: true });
    await cli.fault({ route: 'listJobs', fault: { type: 'status', status: 401 } });
    const ill = await cli.run('doctor');
    expect(ill.code).toBe(4);
    expect(ill.stdout).toMatch(/FAIL provider: .*\n +Set MISTRAL_API_KEY/);
  });
});
