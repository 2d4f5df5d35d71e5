import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { ProviderError } from '../../providers/errors.js';
import { attemptOf, failureOf, runActivity } from '../support/activity-env.js';
import { BATCH, jsonl, row, rows } from '../support/activity-inputs.js';
import { remoteJob } from '../support/create-world.js';
import { answer, fileOf, ScriptedRound } from '../support/scripted-round.js';
import { hookedStore } from '../support/store-hooks.js';

describe('a download', () => {
  const whole = fileOf(answer('r0'), answer('r1'), answer('r2'));

  it('that is shorter than the file is repeated', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const getFile = (id: string) =>
      Promise.resolve({ id, name: id, bytes: whole.length, lines: null, createdAt: 0 });
    const short = { output: whole.slice(0, -40), provider: { getFile } };
    const failure = await failureOf(round.collect(short));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(await round.bench.files()).not.toContain('rounds/00000-1/account.json');
    expect((await round.collect({ output: whole })).rows).toMatchObject({ succeeded: 3 });
  });

  const untold = (id: string) => Promise.resolve({ id, name: id, bytes: null, lines: null, createdAt: 0 });
  const counts = { total: 3, completed: 3, succeeded: 2, failed: 1 };

  /** A provider whose n-th download brings the n-th part, and the last one from then on. */
  function downloads(...parts: readonly string[]) {
    let calls = 0;
    const downloadFile = () => {
      const content = Buffer.from(parts[Math.min(calls, parts.length - 1)] ?? '');
      calls += 1;
      return Promise.resolve({ contentLength: null, content: Readable.from([content]) });
    };
    return { provider: { getFile: untold, downloadFile }, calls: () => calls };
  }

  it('with fewer lines than the job counts is repeated, and believed when the same comes three times', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const { provider, calls } = downloads(
      fileOf(answer('r0'), 'broken', answer('r0')).slice(0, 60),
      fileOf(answer('r0'), answer('r1')),
    );
    const sums = await round.collect({ output: whole, job: { counts }, provider });
    expect(sums.rows).toMatchObject({ succeeded: 2, missing: 1 });
    expect(calls()).toBe(4);
    // What the earlier downloads brought is forgotten.
    expect(await round.quarantine()).toEqual([]);
  });

  it('that is cut behind a line is repeated, by whatever attempt', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const { provider, calls } = downloads(fileOf(answer('r0')), '', whole);
    const sums = await round.collect({ output: whole, job: { counts }, provider, attempt: 7 });
    expect(sums.rows).toMatchObject({ succeeded: 3 });
    expect(calls()).toBe(3);
  });

  it('that is cut in the middle of a line is repeated, though nobody counts', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const { provider, calls } = downloads(whole.slice(0, -40), whole);
    expect((await round.collect({ output: whole, provider })).rows).toMatchObject({ succeeded: 3 });
    expect(calls()).toBe(2);
  });

  it('whose last line has no end is whole if it can be read', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const { provider, calls } = downloads(whole.slice(0, -1));
    expect((await round.collect({ output: whole, provider })).rows).toMatchObject({ succeeded: 3 });
    expect(calls()).toBe(1);
  });

  it('is made of the files that the job names by now', async () => {
    const round = await ScriptedRound.begin(rows(3));
    // The job was over before its output file had a name.
    const { deps, input, attempt } = round.ending({ output: whole, job: { counts } });
    const early = { ...input, job: { ...input.job, outputFile: null } };
    const sums = await runActivity(deps, 'collect', early, attempt);
    expect(sums.rows).toMatchObject({ succeeded: 3 });
    expect(await round.account()).toMatchObject({ files: { output: ['output-file'] } });
  });

  it('is not repeated for counts that are too small, or for lines that say nothing', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const few = { total: 0, completed: 2, succeeded: 1, failed: 1 };
    const output = fileOf('broken', answer('r0'), answer('r0'), answer('x'));
    expect((await round.collect({ output, job: { counts: few } })).rows).toMatchObject({
      succeeded: 1,
      missing: 2,
    });
  });

  it('that breaks is repeated from its first byte', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const content = (async function* () {
      yield Buffer.from(whole.slice(0, 50));
      throw new ProviderError('ProviderUnavailable', 'download file: the connection broke', {
        effect: 'unknown',
      });
    })();
    const downloadFile = () => Promise.resolve({ contentLength: null, content });
    const failure = await failureOf(round.collect({ output: whole, provider: { downloadFile } }));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect((await round.collect({ output: whole })).rows).toMatchObject({ succeeded: 3 });
    expect(await readdir(join(round.bench.dir, 'scratch'))).toEqual([]);
  });
});

describe('the account', () => {
  it('closes the round once and for all', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const first = await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
    const answers = await round.bench.text(round.path('answers'));
    expect(await round.collect({ deleted: true })).toEqual(first);
    expect(await round.bench.text(round.path('answers'))).toBe(answers);
    expect(await round.account()).toMatchObject({
      shard: 0,
      round: 1,
      key: round.open.key,
      rows: { total: 2, succeeded: 2 },
      job: { jobId: 'job-1', status: 'SUCCESS', requests: 2, succeeded: 2, failed: 0 },
      files: { input: ['input-file'], output: ['output-file'] },
    });
    expect(await round.bench.begin().catch((error: unknown) => error)).toMatchObject({
      message: 'the round is closed',
    });
  });

  it('lists duplicates', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const other = { jobId: 'job-2', status: 'CANCELLED', createdAt: '2026-11-22T12:00:00.000Z', requests: 2 };
    await round.collect({ output: fileOf(answer('r0'), answer('r1')), duplicates: [other] });
    expect(await round.account()).toMatchObject({ duplicates: [{ ...other, duplicate: true }] });
  });

  it('is not touched by an attempt that was held up while another one closed the round', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const { deps, input, attempt } = round.ending({ output: null, attempt: 3, absences: 2 });
    let closed = false;
    const store = hookedStore(round.bench.store, async (call, path) => {
      // All of its own downloads are behind it.
      if (call !== 'openWriter' || path !== round.path('answers') || closed) return;
      closed = true;
      await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
    });
    const sums = await runActivity({ ...deps, store }, 'collect', input, attempt);
    expect(sums.rows).toMatchObject({ succeeded: 2 });
    expect((await round.results()).map((line) => line['error'])).toEqual([null, null]);
  });

  it('is not touched by one that was held up while its own files went to the disk', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const { deps, input } = round.ending({ output: fileOf(answer('r0')) });
    const { store: whole } = round.bench;
    let closed = false;
    const openWriter: typeof whole.openWriter = async (path, options) => {
      const writer = await whole.openWriter(path, options);
      if (path !== round.path('answers') || closed) return writer;
      closed = true;
      return {
        get bytes() {
          return writer.bytes;
        },
        write: (chunk) => writer.write(chunk),
        commit: () => writer.commit(),
        abort: () => writer.abort(),
        seal: async () => {
          await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
          return writer.seal();
        },
      };
    };
    const store = { ...hookedStore(whole, () => undefined), openWriter };
    expect((await runActivity({ ...deps, store }, 'collect', input)).rows).toMatchObject({ succeeded: 2 });
    expect((await round.results()).map((line) => line['error'])).toEqual([null, null]);
  });

  it('is not written without the record of the job', async () => {
    const round = await ScriptedRound.begin(rows(2));
    await round.bench.store.remove(round.path('job'));
    const failure = await failureOf(round.collect({ output: fileOf(answer('r0'), answer('r1')) }));
    expect(failure).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    expect(await round.bench.files()).not.toContain('rounds/00000-1/account.json');
  });

  it('is not written when the round’s input is not a part of its shard', async () => {
    const round = await ScriptedRound.begin(rows(2));
    await round.bench.store.writeSmall(round.path('input'), jsonl([row('r0'), row('other')]));
    const failure = await failureOf(round.collect({ output: fileOf(answer('r0'), answer('r1')) }));
    expect(failure.type).toBe('IntegrityMismatch');
  });
});

describe('collect', () => {
  it('leaves no temporary file when it fails, wherever that is', async () => {
    for (const broken of ['quarantine', 'answers', 'account'] as const) {
      const round = await ScriptedRound.begin(rows(2));
      const { deps, input } = round.ending({ output: fileOf(answer('r0'), answer('r0')) });
      const store = hookedStore(round.bench.store, (call, path) => {
        if (path === round.path(broken) && (call === 'openWriter' || call === 'writeSmall'))
          throw new Error('broken');
      });
      await expect(runActivity({ ...deps, store }, 'collect', input)).rejects.toThrow('broken');
      expect(await readdir(join(round.bench.dir, 'scratch'))).toEqual([]);
      const left = await readdir(join(round.bench.dir, 'store', BATCH, 'rounds', '00000-1'));
      expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });

  it('sums up usage of the last words only', async () => {
    const round = await ScriptedRound.begin(rows(2));
    await round.collect({ output: fileOf(answer('r0'), answer('r0'), answer('r1', 'x', 500)) });
    await round.bench.assemble();
    const manifest = await round.bench.json(layout.manifest(BATCH));
    expect(manifest['usage']).toEqual({ prompt_tokens: 6, total_tokens: 10 });
  });
});

it('closes a round whose job has times that no date holds', async () => {
  const round = await ScriptedRound.begin(rows(2));
  const output = fileOf(answer('r0'), answer('r1'));
  const result = await round.collect({ output, job: { createdAt: 9e15, completedAt: 9e15 } });
  expect(result.rows).toMatchObject({ succeeded: 2 });
  expect(await round.bench.json(`${layout.round(BATCH, 0, 1)}/account.json`)).toMatchObject({
    job: { createdAt: '1970-01-01T00:00:00.000Z', completedAt: null },
  });
});

describe('a file that the provider does not show', () => {
  const whole = fileOf(answer('r0'), answer('r1'));
  const down = (status: 404 | 503) =>
    Promise.reject(
      status === 404
        ? new ProviderError('ProviderNotFound', 'get file: 404', { effect: 'refused', status })
        : new ProviderError('ProviderUnavailable', 'get file: 503', { effect: 'unknown', status }),
    );

  it('is not called gone by the first look that misses it, however many attempts an outage has cost', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const after = { attempt: 9, provider: { getFile: () => down(404) } };
    expect(await failureOf(round.collect({ output: whole, ...after }))).toMatchObject({
      type: 'ProviderUnavailable',
      nextRetryDelay: 2_000,
    });
  });

  it('is called gone by the third, whatever befell the attempts in between', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const statuses = [404, 503, 404, 503, 404] as const;
    let details: unknown;
    for (const [n, status] of statuses.entries()) {
      const { deps, input } = round.ending({ output: whole, provider: { getFile: () => down(status) } });
      const environment = attemptOf({ attempt: n + 1, ...(details === undefined ? {} : { details }) });
      environment.on('heartbeat', (beat: unknown) => (details = beat));
      const end = runActivity(deps, 'collect', input, environment);
      if (n < statuses.length - 1)
        expect(await failureOf(end)).toMatchObject({ type: 'ProviderUnavailable' });
      else expect((await end).rows).toMatchObject({ missing: 2 });
    }
  });

  it('is not called gone where its job has just ended and does not name it yet', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const counts = { total: 2, completed: 2, succeeded: 2, failed: 0 };
    const completedAt = round.bench.clock.now();
    let polls = 0;
    const getJob = () => {
      polls += 1;
      const named = remoteJob('job-1', 0, { fileId: 'input-file', metadata: {} });
      const outputFile = polls < 3 ? null : 'output-file';
      return Promise.resolve({ ...named, phase: 'succeeded', counts, completedAt, outputFile } as const);
    };
    const { deps, input } = round.ending({
      output: whole,
      job: { counts, completedAt },
      provider: { getJob },
    });
    const unnamed = { ...input, job: { ...input.job, outputFile: null } };
    expect((await runActivity(deps, 'collect', unnamed)).rows).toMatchObject({ succeeded: 2 });
  });
});
