import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPayloadCodec } from '../../client/payload-codec.js';
import { Temporal } from '../../client/temporal.js';
import { lazyTemporal } from '../support/lazy-temporal.js';
import type { LazyTemporal } from '../support/lazy-temporal.js';

const CLOSED = { type: 'TemporalUnavailable', message: 'this client was closed' };

/** As a call that waits at a server, or between two of the SDK's attempts. */
const never = () => new Promise<never>(() => undefined);

/** As gRPC says that a server is away. */
function away(): Promise<never> {
  return Promise.reject(Object.assign(new Error('away'), { code: 14, details: 'away', metadata: {} }));
}

let server: LazyTemporal;
beforeEach(() => {
  server = lazyTemporal();
});
afterEach(() => server.close());

it('a call that hears no abort, as between two attempts of the SDK, is left at once', async () => {
  const leaving = new AbortController();
  const call = server.temporal.call(
    () => {
      setImmediate(() => leaving.abort(new Error('enough')));
      return never();
    },
    { signal: leaving.signal },
  );
  await expect(call).rejects.toThrow('enough');
});

describe('closing ends at once', () => {
  it.each([
    ['a call', (temporal: Temporal) => temporal.call(never)],
    ['a long poll', (temporal: Temporal) => temporal.longPoll(never, undefined)],
    [
      'a long poll of somebody who may leave',
      (temporal: Temporal) => temporal.longPoll(never, new AbortController().signal),
    ],
  ])('%s', async (_name, wait) => {
    const waiting = wait(server.temporal);
    setImmediate(() => void server.temporal.close());
    await expect(waiting).rejects.toMatchObject(CLOSED);
  });

  it('the patience with a server that is away, and a pause of it', async () => {
    const { temporal } = server;
    await temporal.call(() => Promise.resolve());
    const tried = vi.fn(away);
    const waiting = temporal.patiently(tried);
    await vi.waitFor(() => expect(tried).toHaveBeenCalled());
    await temporal.close();
    await expect(waiting).rejects.toMatchObject(CLOSED);
    await expect(temporal.patiently(tried)).rejects.toMatchObject(CLOSED);
    expect(tried).toHaveBeenCalledTimes(1);
  });

  it('the making of a connection', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const address = `127.0.0.1:${port}`;
    const target = { address, namespace: 'default', uiUrl: null, identity: null, connection: { address } };
    const codec = createPayloadCodec('');
    const temporal = new Temporal({ ...target, ownConnection: true, ofHome: false, codec });
    const began = performance.now();
    const waiting = expect(temporal.call(never)).rejects.toMatchObject(CLOSED);
    await temporal.close();
    await waiting;
    expect(performance.now() - began).toBeLessThan(5_000);
    silent.close();
  });
});
