import { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createPayloadCodec } from '../../client/payload-codec.js';
import { Temporal } from '../../client/temporal.js';

it('a call that hears no abort, as between two attempts of the SDK, is left at once', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const temporal = new Temporal({
    address: '127.0.0.1:1',
    namespace: 'default',
    uiUrl: null,
    identity: null,
    connection,
    ownConnection: false,
    ofHome: false,
    codec: createPayloadCodec(''),
  });
  const leaving = new AbortController();
  const call = temporal.call(
    () => {
      setImmediate(() => leaving.abort(new Error('enough')));
      return new Promise<never>(() => undefined);
    },
    { signal: leaving.signal },
  );
  await expect(call).rejects.toThrow('enough');
  await temporal.close();
  await connection.close();
});
