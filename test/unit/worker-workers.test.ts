import { expect, test } from 'vitest';
import { runWorkers } from '../../worker/workers.js';

/** A worker that runs until it is told to stop, or until it fails. */
function fakeWorker(failing: Promise<never> = new Promise(() => undefined)) {
  let state: 'RUNNING' | 'DRAINING' | 'STOPPED' | 'FAILED' = 'RUNNING';
  let drain = (): void => undefined;
  const drained = new Promise<void>((resolve) => (drain = resolve));
  return {
    drain: () => drain(),
    getState: () => state,
    shutdown: () => void (state = 'DRAINING'),
    run: async () => {
      try {
        await Promise.race([drained, failing]);
        state = 'STOPPED';
      } catch (error) {
        state = 'FAILED';
        throw error;
      }
    },
  };
}

test('a worker that dies takes the others along, and its own failure is told once they have drained', async () => {
  const dead = fakeWorker(Promise.reject(new Error('the connection is gone')));
  const other = fakeWorker();
  let ended = false;
  const running = runWorkers([dead, other]).finally(() => (ended = true));
  const failure = expect(running).rejects.toThrow('the connection is gone');
  await expect.poll(() => other.getState()).toBe('DRAINING');
  expect(ended).toBe(false);
  other.drain();
  await failure;
});

test('workers that are told to stop end in peace', async () => {
  const workers = [fakeWorker(), fakeWorker()];
  const running = runWorkers(workers);
  for (const worker of workers) worker.drain();
  await expect(running).resolves.toBeUndefined();
});
