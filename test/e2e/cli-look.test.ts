import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CliFolder, manifestOf, QUICK } from './cli-support.js';

/*
 * What commands say of batches that are stuck, failed or run twice.
 */

let cli: CliFolder;
beforeAll(async () => {
  cli = await CliFolder.create();
});
afterAll(() => cli.remove());
afterEach(clearFaults);

async function clearFaults(): Promise<void> {
  await fetch(`${cli.emulator.url}/_emulator/faults`, { method: 'DELETE' });
}

async function listed(...options: string[]): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, code } = await cli.run('list', '--json', ...options);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe('a batch that failed and is run again', () => {
  const id = 'twice';
  const run = ['run', 'twice.jsonl', ...QUICK, '--id', id];

  it('fails with words for a batch that has ended', async () => {
    await cli.input('twice.jsonl', 3);
    await cli.fault({ route: 'listJobs', fault: { type: 'status', status: 401 } });
    const failed = await cli.run(...run);
    expect(failed.code, failed.stderr).toBe(4);
    expect(failed.stderr).toMatch(/failure +ProviderAuth: /);
    expect(failed.stderr).toContain('then run the same command again');
    expect(failed.stderr).not.toContain('longhaul resume');
    const status = await cli.run('status', id);
    expect(status.stdout).toMatch(/outcome +failed/);
    expect(status.stderr).toContain('then run the same command again');
  });

  it('is listed once, by its newest run', async () => {
    expect((await listed()).filter(({ batchId }) => batchId === id)).toMatchObject([{ outcome: 'failed' }]);
    await clearFaults();
    const again = await cli.run(...run);
    expect(again.code, again.stderr).toBe(0);
    await expect
      .poll(async () => (await listed()).filter(({ batchId }) => batchId === id), { timeout: 30_000 })
      .toMatchObject([{ outcome: 'succeeded' }]);
    expect((await listed('--outcome', 'failed')).map(({ batchId }) => batchId)).not.toContain(id);
    expect(await listed('--limit', '1')).toHaveLength(1);
  });
});

describe('a batch that ended without results', () => {
  it('is not to be waited for by who wants them', async () => {
    await cli.write('bad.jsonl', '{"body":{}}\n{"custom_id":7,"body":{}}\n');
    const run = await cli.run('run', 'bad.jsonl', ...QUICK, '--id', 'bad');
    expect(run.code, run.stderr).toBe(2);
    const worker = cli.start(['worker']);
    await worker.said('stderr', /The worker runs/);
    const results = await cli.run('results', 'bad');
    expect(results.code).toBe(4);
    expect(results.stderr).toMatch(/bad failed and has no results: InvalidInput: .*bad\.jsonl/);
    expect(results.stderr).not.toContain('longhaul wait');
    worker.child.kill('SIGINT');
    await worker.ended;
  });
});

describe('a batch that is stuck in retries', () => {
  it('says why in run without progress, in status and in its JSON, and that it goes on', async () => {
    const input = await cli.input('stuck.jsonl', 3);
    await cli.fault({ route: 'listJobs', fault: { type: 'status', status: 503 } });
    const run = cli.start(['run', input, ...QUICK, '--id', 'stuck', '--json', '--no-progress']);
    await run.said('stderr', /stuck: the provider is unavailable, trying again: .*503/);
    const json = await cli.run('status', 'stuck', '--json');
    expect(manifestOf(json)).toMatchObject({ outcome: null, failure: null });
    expect(JSON.parse(json.stdout)).toMatchObject({
      trouble: { activity: 'checkAccount', shard: null, type: 'ProviderUnavailable' },
    });
    const human = await cli.run('status', 'stuck');
    expect(human.stdout).toMatch(
      /trouble +the provider is unavailable, trying again: .*503.* \(attempt \d+\)/,
    );
    expect(human.stderr).toContain('check the network and MISTRAL_BASE_URL');
    await clearFaults();
    await run.said('stderr', /stuck goes on/);
    const { code, stdout, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    expect(Object.keys(JSON.parse(stdout) as object)).not.toContain('trouble');
    expect(stderr.match(/trying again/g)).toHaveLength(1);
  });
});
