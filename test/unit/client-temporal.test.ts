import { expect, it } from 'vitest';
import { lazyTemporal } from '../support/lazy-temporal.js';

it('a call that hears no abort, as between two attempts of the SDK, is left at once', async () => {
  const { temporal, close } = lazyTemporal();
  const leaving = new AbortController();
  const call = temporal.call(
    () => {
      setImmediate(() => leaving.abort(new Error('enough')));
      return new Promise<never>(() => undefined);
    },
    { signal: leaving.signal },
  );
  await expect(call).rejects.toThrow('enough');
  await close();
});
