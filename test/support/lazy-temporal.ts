import { Connection } from '@temporalio/client';
import { createPayloadCodec } from '../../client/payload-codec.js';
import { Temporal } from '../../client/temporal.js';

const ADDRESS = '127.0.0.1:1';

/** A client of a server that is not there; a test answers in its place by spying on the connection's services. */
export interface LazyTemporal {
  readonly connection: Connection;
  readonly temporal: Temporal;
  close(): Promise<void>;
}

export function lazyTemporal(): LazyTemporal {
  const connection = Connection.lazy({ address: ADDRESS });
  const temporal = new Temporal({
    address: ADDRESS,
    namespace: 'default',
    uiUrl: null,
    identity: null,
    connection,
    ownConnection: false,
    ofHome: false,
    codec: createPayloadCodec(''),
  });
  const close = async () => {
    await temporal.close();
    await connection.close();
  };
  return { connection, temporal, close };
}
