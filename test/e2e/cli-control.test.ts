import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CliFolder, manifestOf, QUICK, resultLines } from './cli-support.js';
import type { Running } from './cli-support.js';

let cli: CliFolder;
beforeAll(async () => {
  cli = await CliFolder.create();
});
afterAll(() => cli.remove());
afterEach(async () => {
  await fetch(`${cli.emulator.url}/_emulator/faults`, { method: 'DELETE' });
});

/** Jobs that outlast whatever a test does to their batch. */
async function slowJobs(seconds: number): Promise<void> {
  await cli.fault({ route: 'createJob', fault: { type: 'jobSeconds', seconds } });
}

/** A batch that has a job, under a command that follows it. */
async function running(id: string, ...options: string[]): Promise<Running> {
  const input = await cli.input(`${id}.jsonl`, 10);
  const run = cli.start(['run', input, ...QUICK, '--id', id, ...options]);
  await run.said('stderr', /shard 0 round 1 (?:QUEUED|RUNNING)/);
  return run;
}

describe('leaving a batch', () => {
  it('--detach returns once the job exists, wait attaches to it', async () => {
    await slowJobs(8);
    const input = await cli.input('detached.jsonl', 5);
    const jobs = await cli.calls('createJob');
    const detached = await cli.run('run', input, ...QUICK, '--detach', '--json');
    expect(detached.code, detached.stderr).toBe(0);
    const live = manifestOf(detached);
    expect(live).toMatchObject({ outcome: null, finishedAt: null, rows: { total: 5 } });
    expect(live.jobs).toHaveLength(1);
    expect(detached.stderr).toContain(`longhaul wait ${live.batchId}`);
    const waited = await cli.run('wait', live.batchId, '--json');
    expect(waited.code, waited.stderr).toBe(0);
    expect(manifestOf(waited)).toMatchObject({
      outcome: 'succeeded',
      jobs: [{ jobId: live.jobs[0]?.jobId }],
    });
    expect(await cli.calls('createJob')).toBe(jobs + 1);
  });

  it('Ctrl-C detaches with exit 130, the same command attaches to the same job', async () => {
    await slowJobs(8);
    const jobs = await cli.calls('createJob');
    const run = await running('interrupted');
    run.child.kill('SIGINT');
    const left = await run.ended;
    expect(left.code, left.stderr).toBe(130);
    expect(left.stderr).toContain('longhaul wait interrupted');
    const input = 'interrupted.jsonl';
    const again = await cli.run('run', input, ...QUICK, '--id', 'interrupted', '--output', 'interrupted.out');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain(
      'interrupted keeps the settings that it was started with; given now, --poll-min',
    );
    expect(resultLines(await cli.read('interrupted.out')).map((line) => line.custom_id)).toEqual(
      Array.from({ length: 10 }, (_, n) => `row-${n}`),
    );
    expect(await cli.calls('createJob')).toBe(jobs + 1);
  });

  it('`longhaul stop` under a running command is said, and nothing is lost', async () => {
    // The job outlasts the test, however slow the machine is: it is found again by its cancel.
    await slowJobs(300);
    const calls = async () => [await cli.calls('createJob'), await cli.calls('cancelJob')];
    const [created = 0, cancelled = 0] = await calls();
    const run = await running('stopped');
    expect((await cli.run('stop')).code).toBe(0);
    const left = await run.ended;
    expect(left.code, left.stderr).toBe(4);
    expect(left.stderr).toContain('longhaul wait stopped');
    const cancel = await cli.run('cancel', 'stopped', '--json');
    expect(cancel.code, cancel.stderr).toBe(0);
    expect(manifestOf(cancel)).toMatchObject({ outcome: 'cancelled', rows: { total: 10 } });
    expect(await calls()).toEqual([created + 1, cancelled + 1]);
  });
});

describe('a server that `status` has left without a worker', () => {
  it('gets a worker with a key from the next command', async () => {
    await slowJobs(300);
    const run = await running('keyless');
    expect((await cli.run('stop')).code).toBe(0);
    expect((await run.ended).code).toBe(4);
    // Its server stays for three seconds.
    expect((await cli.run('status', 'keyless')).code).toBe(0);
    const cancel = await cli.run('cancel', 'keyless', '--json');
    expect(cancel.code, cancel.stderr).toBe(0);
    expect(manifestOf(cancel)).toMatchObject({ outcome: 'cancelled', rows: { total: 10 } });
  });
});

describe('control', () => {
  it('cancel collects what was answered; run and wait then exit 5', async () => {
    await slowJobs(300);
    const cancels = await cli.calls('cancelJob');
    const run = await running('cancelled', '--json');
    const cancel = await cli.run('cancel', 'cancelled', '--reason', 'wrong model', '--json');
    expect(cancel.code, cancel.stderr).toBe(0);
    expect(manifestOf(cancel)).toMatchObject({ outcome: 'cancelled', rows: { total: 10 } });
    const ended = await run.ended;
    expect(ended.code, ended.stderr).toBe(5);
    expect(manifestOf(ended)).toEqual(manifestOf(cancel));
    expect((await cli.run('wait', 'cancelled')).code).toBe(5);
    const lateJson = await cli.run('cancel', 'cancelled', '--json');
    expect(manifestOf(lateJson)).toEqual(manifestOf(cancel));
    const late = await cli.run('cancel', 'cancelled');
    expect(late).toMatchObject({ code: 0, stderr: expect.stringContaining('ended already') as string });
    expect(await cli.calls('cancelJob')).toBe(cancels + 1);
  });

  it('a second command may leave again, and pause and resume are seen in status and list', async () => {
    await slowJobs(300);
    const jobs = await cli.calls('createJob');
    const run = await running('paused');
    const beside = await cli.run('run', 'paused.jsonl', ...QUICK, '--id', 'paused', '--detach', '--json');
    expect([beside.code, beside.stderr]).toEqual([0, expect.stringContaining('Attached to paused')]);
    expect(manifestOf(beside)).toMatchObject({ outcome: null, jobs: [{ shard: 0, round: 1 }] });
    expect(await cli.calls('createJob')).toBe(jobs + 1);
    expect((await cli.run('pause', 'paused')).stderr).toContain('paused is paused');
    const left = await cli.run('run', 'paused.jsonl', ...QUICK, '--id', 'paused', '--detach');
    expect([left.code, left.stderr]).toEqual([0, expect.stringContaining('paused is paused: no new job')]);
    expect(left.stderr).not.toContain('goes on in the background');
    const status = await cli.run('status', 'paused', '--json');
    expect(manifestOf(status)).toMatchObject({ phase: 'paused', outcome: null });
    const human = await cli.run('status', 'paused');
    expect(human.stdout).toMatch(/phase +paused\n[^]*rows +10: 0 succeeded, 10 unanswered/);
    expect(human.stderr).toContain('longhaul resume paused');
    const resumed = await cli.run('resume', 'paused');
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      expect.stringContaining('paused goes on in the background'),
    ]);
    const needless = await cli.run('resume', 'paused');
    expect([needless.code, needless.stderr]).toEqual([
      0,
      expect.stringContaining('paused was not paused and waits for nothing: it is running in the background'),
    ]);
    const listed = await cli.run('list', '--json');
    const entries = JSON.parse(listed.stdout) as { batchId: string }[];
    expect(entries.find(({ batchId }) => batchId === 'paused')).toMatchObject({ phase: 'running', rows: 10 });
    const results = await cli.run('results', 'paused');
    expect([results.code, results.stderr]).toEqual([4, expect.stringContaining('no results yet')]);
    expect((await cli.run('cancel', 'paused', '--discard')).code).toBe(0);
    expect((await run.ended).code).toBe(5);
  });

  it('an unavailable provider is said while it is tried again', async () => {
    await cli.fault({ route: 'listJobs', fault: { type: 'status', status: 503 }, count: 3 });
    const input = await cli.input('unavailable.jsonl', 2);
    const run = cli.start(['run', input, ...QUICK]);
    await run.said('stderr', /the provider is unavailable, trying again/);
    expect((await run.ended).code).toBe(0);
  });
});

describe('schedules', () => {
  it('are created, changed, triggered, listed and deleted', async () => {
    const input = await cli.input('nightly.jsonl', 2);
    const create = ['schedule', 'create', 'nightly', '--cron', '0 2 * * *', input, ...QUICK];
    const created = await cli.run(...create, '--json');
    expect(created.code, created.stderr).toBe(0);
    expect(created.stderr).toContain('only while `longhaul dev` or `longhaul worker` runs');
    expect((await cli.run(...create)).code).toBe(2);
    const apply = ['schedule', 'apply', 'nightly', '--every', '12h', input, ...QUICK, '--json'];
    expect(JSON.parse((await cli.run(...apply)).stdout)).toEqual({ scheduleId: 'nightly', done: 'updated' });
    expect((await cli.run(...apply.slice(0, -1))).stderr).toMatch(
      /nightly is updated\.\nIts next batch starts at \d{4}-\d\d-\d\d [01][02]:00:00 UTC\.\n/,
    );
    expect((await cli.run('schedule', 'pause', 'nightly')).code).toBe(0);
    expect((await cli.run('schedule', 'list')).stdout).toMatch(/nightly +paused/);
    const paused = await cli.run('schedule', 'describe', 'nightly');
    expect(paused.stdout).toMatch(/when +every 12h\n[^]*next +none while it is paused\n/);
    expect((await cli.run('schedule', 'resume', 'nightly')).code).toBe(0);
    const odd = await cli.run('schedule', 'create', 'a b', '--every', '1h', input, ...QUICK);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining('a schedule id has')]);

    const worker = cli.start(['worker']);
    await worker.said('stderr', /The worker runs/);
    const { batchId } = JSON.parse((await cli.run('schedule', 'trigger', 'nightly', '--json')).stdout) as {
      batchId: string;
    };
    expect(batchId).toMatch(/^nightly-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect((await cli.run('wait', batchId)).code).toBe(0);
    worker.child.kill('SIGINT');
    expect((await worker.ended).code).toBe(0);

    const described = await cli.run('schedule', 'describe', 'nightly', '--json');
    expect(described.stdout).toContain(batchId);
    expect((await cli.run('schedule', 'delete', 'nightly')).code).toBe(0);
    expect((await cli.run('schedule', 'describe', 'nightly')).code).toBe(2);
  });
});
