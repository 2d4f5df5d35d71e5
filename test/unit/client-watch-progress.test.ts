import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BatchProgress, ShardProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import { pause } from '../../client/pause.js';
import { ProgressView, watchProgress } from '../../client/watch-progress.js';
import type { ProgressSource } from '../../client/watch-progress.js';

function batch(running: readonly number[], succeeded = 0): BatchProgress {
  return {
    batchId: 'b',
    phase: 'running',
    paused: false,
    rows: { ...NO_ROWS, total: 100, succeeded, unanswered: 100 - succeeded },
    rowsDone: succeeded,
    shards: { total: 4, running: running.length, done: 0 },
    jobs: [],
    running,
    startedAt: '2026-11-22T12:00:00.000Z',
    etaAt: null,
  };
}

function shard(n: number, succeeded: number): ShardProgress {
  const job = {
    shard: n,
    round: 2,
    jobId: `job-${n}`,
    status: 'RUNNING',
    requests: 5,
    completed: 1,
    failed: 0,
  };
  return {
    shard: n,
    round: 2,
    phase: 'running',
    rows: { ...NO_ROWS, total: 20, succeeded },
    job: { ...job, nextPollAt: null },
  };
}

/** A batch whose answers are set by the test. */
class FakeSource implements ProgressSource {
  answer: BatchProgress | null = batch([]);
  shards = new Map<number, ShardProgress | null>();
  phase: BatchProgress['phase'] = 'running';
  isClosed = false;
  asked = 0;
  atOnce = 0;
  #asking = 0;
  #close: () => void = () => undefined;
  readonly #closing = new Promise<void>((resolve) => {
    this.#close = resolve;
  });

  now(): number {
    return Date.parse('2026-11-22T12:01:00.000Z');
  }

  async look() {
    return { closed: this.isClosed, known: { ...batch([]), phase: this.phase } };
  }

  async askBatch() {
    return this.answer;
  }

  async askShard(n: number) {
    this.asked += 1;
    this.#asking += 1;
    this.atOnce = Math.max(this.atOnce, this.#asking);
    await Promise.resolve();
    this.#asking -= 1;
    return this.shards.get(n) ?? null;
  }

  async last(latest: BatchProgress | null) {
    return { ...(latest ?? batch([])), phase: 'done' as const };
  }

  closed() {
    return this.#closing;
  }

  close(): void {
    this.isClosed = true;
    this.#close();
  }
}

let source: FakeSource;
beforeEach(() => {
  source = new FakeSource();
});

describe('a state', () => {
  it('adds the running shards’ rows and jobs to the batch’s', async () => {
    source.answer = batch([1, 3], 10);
    source.shards.set(1, shard(1, 4)).set(3, shard(3, 6));
    expect(await new ProgressView(source).take()).toMatchObject({
      rows: { total: 100, succeeded: 20, unanswered: 80 },
      jobs: [{ jobId: 'job-1' }, { jobId: 'job-3' }],
      // A fifth and two rows in jobs are done in a minute.
      etaAt: new Date(source.now() + (60_000 / 22) * 78).toISOString(),
    });
  });

  it('keeps the last answer of a shard that is silent, until the batch no longer runs it', async () => {
    const view = new ProgressView(source);
    source.answer = batch([0]);
    source.shards.set(0, shard(0, 7));
    await view.take();
    source.shards.set(0, null);
    expect(await view.take()).toMatchObject({ rows: { succeeded: 7 } });
    source.answer = batch([], 20);
    expect(await view.take()).toMatchObject({ rows: { succeeded: 20 }, jobs: [] });
  });

  it('is Temporal’s phase and the last numbers while no worker answers', async () => {
    const view = new ProgressView(source);
    source.answer = null;
    source.phase = 'preparing';
    expect(await view.take()).toMatchObject({ phase: 'preparing', rows: { succeeded: 0 } });
    source.answer = batch([], 30);
    await view.take();
    source.answer = null;
    source.phase = 'waiting-for-auth';
    expect(await view.take()).toMatchObject({
      phase: 'waiting-for-auth',
      rows: { succeeded: 30 },
      etaAt: null,
    });
  });

  it('asks hundreds of shards, a few at a time', async () => {
    source.answer = batch(Array.from({ length: 300 }, (_, n) => n));
    await new ProgressView(source).take();
    expect(source.asked).toBe(300);
    expect(source.atOnce).toBeLessThanOrEqual(8);
  });
});

describe('the states', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('come at once, then at the interval, and end with the last one as soon as the batch closes', async () => {
    const states = watchProgress(source, { intervalMs: 30_000 });
    expect(await states.next()).toMatchObject({ value: { phase: 'running' } });
    const second = states.next();
    await vi.advanceTimersByTimeAsync(29_999);
    source.answer = batch([], 50);
    await vi.advanceTimersByTimeAsync(1);
    expect(await second).toMatchObject({ value: { rows: { succeeded: 50 } } });
    const third = states.next();
    await vi.advanceTimersByTimeAsync(10);
    source.close();
    expect(await third).toMatchObject({ value: { phase: 'done', rows: { succeeded: 50 } } });
    expect(await states.next()).toMatchObject({ done: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are one for a batch that has closed', async () => {
    source.close();
    const states = watchProgress(source, { intervalMs: 1000 });
    expect(await states.next()).toMatchObject({ value: { phase: 'done' } });
    expect(await states.next()).toMatchObject({ done: true });
  });

  it('break off with the signal’s reason', async () => {
    const controller = new AbortController();
    const states = watchProgress(source, { intervalMs: 1000, signal: controller.signal });
    await states.next();
    const next = states.next();
    controller.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('break off in the middle of a pause when nobody can learn of the close any more', async () => {
    vi.spyOn(source, 'closed').mockImplementation(async () => {
      await pause(10);
      throw new Error('this client was closed');
    });
    const states = watchProgress(source, { intervalMs: 3_600_000 });
    await states.next();
    const next = expect(states.next()).rejects.toThrow('this client was closed');
    await vi.advanceTimersByTimeAsync(20);
    await next;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leave nothing behind when nobody wants more', async () => {
    let ended: AbortSignal | undefined;
    vi.spyOn(source, 'closed').mockImplementation(((signal: AbortSignal) => {
      ended = signal;
      return new Promise(() => undefined);
    }) as () => Promise<void>);
    const states = watchProgress(source, { intervalMs: 1000 });
    await states.next();
    await states.return(undefined);
    expect(ended?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
