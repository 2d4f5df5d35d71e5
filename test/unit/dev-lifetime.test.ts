import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lifetime } from '../../dev/lifetime.js';

let ends: string[];
let open: boolean | Error;
let looks: number;

function makeLifetime({ begun = true } = {}): Lifetime {
  const lifetime = new Lifetime({
    firstCommand: 10_000,
    grace: 3_000,
    backgroundCheck: 5_000,
    hasOpenBatches: () => {
      looks++;
      return open instanceof Error ? Promise.reject(open) : Promise.resolve(open);
    },
    onEnd: (why) => void ends.push(why),
  });
  if (begun) lifetime.start();
  return lifetime;
}

beforeEach(() => {
  vi.useFakeTimers();
  ends = [];
  open = false;
  looks = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

it('ends if no command ever comes', async () => {
  makeLifetime();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(ends).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ends).toHaveLength(1);
});

it('waits for no first command when one came before it began to wait', async () => {
  const lifetime = makeLifetime({ begun: false });
  lifetime.add({});
  lifetime.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
});

it('ends a few seconds after the last command, and not while one is there', async () => {
  const lifetime = makeLifetime();
  const [one, two] = [{}, {}];
  lifetime.add(one);
  lifetime.add(two);
  lifetime.remove(one);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  lifetime.remove(two);
  await vi.advanceTimersByTimeAsync(2_999);
  lifetime.add(one);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  lifetime.remove(one);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ends).toEqual(['the last command is gone']);
  expect(looks).toBe(0);
});

it('goes on after a detach until no batch is open', async () => {
  const lifetime = makeLifetime();
  const command = {};
  lifetime.add(command);
  lifetime.detach();
  open = true;
  lifetime.remove(command);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  expect(looks).toBe(12);
  open = new Error('Temporal is restarting');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  open = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ends).toEqual(['no batch is open any more']);
});

it('does not end on an answer that a new command has overtaken', async () => {
  const lifetime = makeLifetime();
  const command = {};
  lifetime.add(command);
  lifetime.detach();
  lifetime.remove(command);
  vi.advanceTimersByTime(5_000);
  expect(looks).toBe(1);
  lifetime.add(command);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
});

it('is over after close', async () => {
  const lifetime = makeLifetime();
  lifetime.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
});
