import { setImmediate } from 'node:timers/promises';

/** Milliseconds that a loop may keep the event loop to itself: requests must be answered while rows are computed. */
const SLICE_MS = 8;

/** Call the result once per step and await what it gives: it yields to the event loop when the slice is used up. */
export function newPace(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
