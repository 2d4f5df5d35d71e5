import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { BATCH, jsonl, row, rows, wire } from '../support/activity-inputs.js';
import { remoteJob } from '../support/create-world.js';
import { answer, failed, fileOf, ScriptedRound } from '../support/scripted-round.js';

const COUNTS = { total: 0, succeeded: 0, failed: 0, invalid: 0, cancelled: 0, expired: 0, missing: 0 };

describe('an answer', () => {
  it.each([
    ['a failed status', failed('r0', null, { status_code: 400, body: { m: 1 } }), 'http_error', 400, false],
    ['429', failed('r0', null, { status_code: 429, body: {} }), 'http_error', 429, true],
    ['408', failed('r0', null, { status_code: 408, body: {} }), 'http_error', 408, true],
    ['409', failed('r0', null, { status_code: 409, body: {} }), 'http_error', 409, true],
    ['425', failed('r0', null, { status_code: 425, body: {} }), 'http_error', 425, true],
    ['503', failed('r0', null, { status_code: 503, body: {} }), 'http_error', 503, true],
    ['an error object with a status', failed('r0', { code: '422', message: 'no' }), 'http_error', 422, false],
    ['an error object', failed('r0', { message: 'no' }), 'provider_error', undefined, true],
    ['an error string', failed('r0', 'no'), 'provider_error', undefined, true],
    ['both', failed('r0', 'no', { status_code: 500, body: {} }), 'http_error', 500, true],
    [
      'an error beside a success',
      failed('r0', 'no', { status_code: 200, body: {} }),
      'provider_error',
      200,
      true,
    ],
    ['nothing', failed('r0', null), 'malformed', undefined, true],
    ['a body that is null', failed('r0', null, { status_code: 200, body: null }), 'malformed', 200, true],
    ['no status', failed('r0', null, { body: {} }), 'malformed', undefined, true],
  ] as const)('is judged: %s', async (_, line, type, status, retryable) => {
    for (const file of ['output', 'error'] as const) {
      const round = await ScriptedRound.begin(rows(1));
      const sums = await round.collect({ [file]: fileOf(line) });
      expect(sums).toMatchObject({
        answered: 1,
        retryable: retryable ? 1 : 0,
        rows: { total: 1, failed: 1 },
      });
      const [head] = await round.answers();
      expect(head).toMatchObject({ position: 0, line: 1, error: type, retryable });
      const [result] = await round.results();
      expect(wire(result?.['error'])['type']).toBe(type);
      expect(wire(result?.['error'])['status_code']).toBe(status);
      const given = JSON.parse(line).response;
      expect(result?.['response']).toEqual(given?.status_code === undefined ? null : given);
    }
  });

  it('is copied byte for byte', async () => {
    const round = await ScriptedRound.begin(rows(1));
    const body = String.raw`{"n": 9007199254740993, "f":1.10,"e":"\u00e9\u2028","nested":{"body":[1 , 2]},  "usage":{"total_tokens":7}}`;
    const line = `{"custom_id":"r0", "error":null,"response":{"body":${body},"status_code":200}}`;
    await round.collect({ output: fileOf(line) });
    await round.bench.assemble();
    expect(await round.bench.text(layout.results(BATCH))).toBe(
      `{"custom_id":"r0","response":{"status_code":200,"body":${body}},"error":null,"round":1}\n`,
    );
  });

  it('finds its row by id, in any order, in both files', async () => {
    const round = await ScriptedRound.begin(jsonl([row('é'), row(null), row('c'), row('\ud800')]));
    const sums = await round.collect({
      output: fileOf(answer('\ud800'), answer('longhaul-1')),
      error: fileOf(failed('c', 'no'), answer('é')),
    });
    expect(sums.rows).toEqual({ ...COUNTS, total: 4, succeeded: 3, failed: 1 });
    const results = await round.results();
    expect(results.map((line) => line['custom_id'])).toEqual(['é', null, 'c', '\ud800']);
    expect(JSON.stringify(results[1])).toContain('answer of longhaul-1');
    expect(await round.quarantine()).toEqual([]);
  });

  it('is one: a success beats an error, else the first counts, and the others are quarantined', async () => {
    const round = await ScriptedRound.begin(rows(4));
    const sums = await round.collect({
      output: fileOf(
        answer('r0', 'first'),
        answer('r0', 'second'),
        failed('r1', 'before'),
        answer('r1', 'success'),
        answer('r2', 'success'),
        failed('r2', 'after'),
      ),
      error: fileOf(failed('r3', 'first error'), failed('r3', 'second error')),
    });
    expect(sums).toMatchObject({ answered: 4, rows: { succeeded: 3, failed: 1 } });
    const results = (await round.results()).map((line) => JSON.stringify(line));
    expect(results[0]).toContain('first');
    expect(results[1]).toContain('success');
    expect(results[2]).toContain('success');
    expect(results[3]).toContain('first error');
    const thrown = (await round.quarantine()).map(
      ({ reason, line }) => `${String(reason)} ${String(wire(JSON.parse(String(line)))['custom_id'])}`,
    );
    expect(new Set(thrown)).toEqual(
      new Set(['duplicate r0', 'duplicate r1', 'duplicate r2', 'duplicate r3']),
    );
    expect(thrown).toHaveLength(4);
  });

  it('to nobody is quarantined, and so is a line that can not be read', async () => {
    const round = await ScriptedRound.begin(rows(1));
    const bad = ['{"custom_id":"r0","resp', 'null', '{"custom_id":7}', '\ufffd'];
    const output = Buffer.concat([
      Buffer.from(fileOf(answer('nobody'), ...bad, answer('r0'))),
      Buffer.from([0xff, 0x0a]),
    ]);
    expect((await round.collect({ output })).rows).toMatchObject({ total: 1, succeeded: 1 });
    const reasons = (await round.quarantine()).map(({ reason }) => reason);
    expect(reasons).toEqual(['unknown custom_id', ...Array<string>(5).fill('unreadable')]);
  });

  it('may come in lines that end otherwise, with blank ones between', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const output = `\uFEFF${answer('r2')}\r\n\r\n \n${answer('r0')}\r\n${answer('r1')}`;
    expect((await round.collect({ output })).rows).toMatchObject({ succeeded: 3 });
    expect(await round.quarantine()).toEqual([]);
  });
});

describe('a row without an answer', () => {
  const some = fileOf(answer('r0'));
  it.each([
    ['SUCCESS', { output: some }, 'missing', 'missing', true],
    ['TIMEOUT_EXCEEDED', { output: some, job: { phase: 'expired' } }, 'expired', 'expired', true],
    ['TIMEOUT_EXCEEDED without files', { job: { phase: 'expired' } }, 'expired', 'expired', true],
    ['FAILED with answers', { output: some, job: { phase: 'failed' } }, 'missing', 'missing', true],
    ['FAILED without answers', { job: { phase: 'failed', status: 'FAILED' } }, 'job_failed', 'failed', false],
    ['CANCELLED', { output: some, job: { phase: 'cancelled' } }, 'cancelled', 'cancelled', false],
    [
      'CANCELLED at the deadline',
      { job: { phase: 'cancelled' }, deadlinePassed: true },
      'expired',
      'expired',
      false,
    ],
    [
      'a timeout at the deadline',
      { job: { phase: 'expired' }, deadlinePassed: true },
      'expired',
      'expired',
      false,
    ],
    ['a job that is gone', { deleted: true, job: { phase: 'running' } }, 'output_gone', 'missing', false],
    ['an output that is gone', { output: null, error: some }, 'output_gone', 'missing', false],
    ['an error file that is gone', { output: some, error: null }, 'output_gone', 'missing', false],
    [
      'a cancelled job whose output is gone',
      { output: null, job: { phase: 'cancelled' } },
      'output_gone',
      'missing',
      false,
    ],
  ] as const)('after %s', async (_, ending, type, rowClass, retryable) => {
    const round = await ScriptedRound.begin(rows(3));
    // The first look at which a file that is not there counts as gone.
    const sums = await round.collect({ ...ending, attempt: 3, absences: 2 });
    const answered =
      ('output' in ending && ending.output === some) || ('error' in ending && ending.error === some);
    const left = answered ? 2 : 3;
    const expected = { ...COUNTS, total: 3, succeeded: answered ? 1 : 0 };
    expect(sums.rows).toEqual({ ...expected, [rowClass]: left });
    expect(sums).toMatchObject({ answered: answered ? 1 : 0, retryable: retryable ? left : 0, quota: false });
    expect(sums.failure === null).toBe(type !== 'job_failed');
    const results = await round.results();
    expect(results[2]).toMatchObject({ custom_id: 'r2', response: null, error: { type }, round: 1 });
    expect(wire(results[2]?.['error'])['message']).toContain('(job job-1)');
  });

  it.each([
    'You exceeded your current quota',
    'Too many pending requests',
    'enqueued token limit reached',
    'Billing hard limit',
  ])('waits for quota when the failed job speaks of it: %s', async (message) => {
    const round = await ScriptedRound.begin(rows(2));
    const job = { phase: 'failed', status: 'FAILED' } as const;
    const sums = await round.collect({ job, errors: [{ message, count: 1 }] });
    expect(sums).toMatchObject({ quota: true, retryable: 2, rows: { failed: 2 } });
  });

  it.each<[string, { message: string; count: number }[]]>([
    [
      'repeats a row about one',
      [{ message: "1 validation error for Request [type=x, input_value='my billing question'", count: 1 }],
    ],
    ['repeats its model', [{ message: 'no such model: ft:acme:quota-exceeded', count: 1 }]],
    [
      'has an error of many that speaks of one',
      [
        { message: 'bad row', count: 2 },
        { message: 'my quota is exceeded, what now?', count: 1 },
      ],
    ],
  ])('does not wait for quota when the failed job %s', async (_, errors) => {
    const round = await ScriptedRound.begin(rows(2));
    const job = remoteJob('job-1', 0, { fileId: 'f', metadata: {} });
    const named = { ...job, phase: 'failed', model: 'ft:acme:quota-exceeded', errors } as const;
    const sums = await round.collect({
      job: { phase: 'failed', status: 'FAILED' },
      provider: { getJob: () => Promise.resolve(named) },
    });
    expect(sums).toMatchObject({ quota: false, retryable: 0, rows: { failed: 2 } });
  });

  it('keeps the job’s own words in the store, bounded, and out of the history', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const errors = Array.from({ length: 2000 }, (_, n) => ({
      message: `row says ${'SECRET'.repeat(5000)} ${n}`,
      count: 2,
    }));
    const sums = await round.collect({ job: { phase: 'failed', status: 'FAILED' }, errors });
    expect(JSON.stringify(sums)).not.toContain('SECRET');
    expect(sums.failure?.message).toContain('account.json');
    const text = await round.bench.text(round.path('account'));
    expect(text).toContain('SECRET');
    expect(text.length).toBeLessThan(1_000_000);
    const { mode } = await stat(join(round.bench.dir, 'store', round.path('account')));
    expect(mode & 0o777).toBe(0o600);
  });
});
