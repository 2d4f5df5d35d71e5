import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';

export interface CannedReply {
  readonly status: number;
  readonly body: string;
}

export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

const addressSchema = z.object({ port: z.number() });

/** Passes requests on to `target`, but answers those itself that `canned` has a reply for. */
export async function startProxy(
  target: string,
  canned: (request: { readonly method: string; readonly path: string }) => CannedReply | undefined,
): Promise<Proxy> {
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const reply = canned({ method, path: new URL(url, target).pathname });
    if (reply === undefined) return forward(new URL(url, target), incoming, outgoing);
    incoming.resume();
    outgoing.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = addressSchema.parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(url: URL, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const { host: _host, ...others } = headers;
  const onward = httpRequest(url, { method, headers: others }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}
