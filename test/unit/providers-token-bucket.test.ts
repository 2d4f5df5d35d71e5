import { describe, expect, it } from 'vitest';
import { sleepingClock, TokenBucket, type SleepingClock } from '../../providers/token-bucket.js';

/** A clock whose sleepers wake in order when it is moved on. */
class FakeClock implements SleepingClock {
  #now = 1_000_000;
  #sleepers: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#sleepers.push({ at: this.#now + milliseconds, wake: resolve });
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  async advance(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    for (const sleeper of this.#sleepers) if (sleeper.at <= this.#now) sleeper.wake();
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    await settle();
  }

  setBack(milliseconds: number): void {
    this.#now -= milliseconds;
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function takeMany(bucket: TokenBucket, count: number): number[] {
  const done: number[] = [];
  for (let n = 0; n < count; n++) void bucket.take().then(() => done.push(n));
  return done;
}

describe('TokenBucket', () => {
  it("gives one second's worth at once, then the rate, in the order of asking", async () => {
    const clock = new FakeClock();
    const done = takeMany(new TokenBucket(2, clock), 6);
    await settle();
    expect(done).toEqual([0, 1]);
    await clock.advance(499);
    expect(done).toEqual([0, 1]);
    await clock.advance(1);
    expect(done).toEqual([0, 1, 2]);
    await clock.advance(1_500);
    expect(done).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("saves up no more than one second's worth", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(3, clock);
    await clock.advance(60_000);
    const done = takeMany(bucket, 5);
    await settle();
    expect(done).toEqual([0, 1, 2]);
  });

  it('works below one call per second', async () => {
    const clock = new FakeClock();
    const done = takeMany(new TokenBucket(0.1, clock), 2);
    await settle();
    expect(done).toEqual([0]);
    await clock.advance(10_000);
    expect(done).toEqual([0, 1]);
  });

  it('gives a token back when its taker gives up', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(1, clock);
    await bucket.take();
    const controller = new AbortController();
    const waiting = bucket.take(controller.signal);
    const reason = new Error('cancelled');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const done = takeMany(bucket, 1);
    await clock.advance(1_000);
    expect(done).toEqual([0]);
    await expect(bucket.take(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('survives a clock that is set back', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(1, clock);
    await bucket.take();
    clock.setBack(3_600_000);
    const done = takeMany(bucket, 1);
    await clock.advance(1_000);
    expect(done).toEqual([0]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a rate of %d', (rate) => {
    expect(() => new TokenBucket(rate)).toThrow(RangeError);
  });
});

describe('the real clock', () => {
  it('rejects a sleep with the reason of its signal', async () => {
    const reason = new Error('stop');
    const controller = new AbortController();
    const sleeping = sleepingClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
