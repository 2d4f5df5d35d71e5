import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createMistralProvider, type MistralOptions } from '../../providers/mistral/provider.js';

export const API_KEY = 'key-that-must-never-show';

export interface RawRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly socket: Socket;
  /** The whole body; a handler that wants it streamed reads `stream` instead. */
  body(): Promise<string>;
  readonly stream: IncomingMessage;
}

export type Handler = (request: RawRequest, response: ServerResponse) => void | Promise<void>;

export interface RawServer {
  readonly url: string;
  readonly requests: RawRequest[];
}

/** A server that answers in shapes no well-behaved one has. */
export async function rawServer(handler: Handler): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const server = createServer((incoming, response) => {
    const request: RawRequest = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', 'http://localhost'),
      headers: incoming.headers,
      socket: incoming.socket,
      stream: incoming,
      body: async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(Buffer.from(chunk as Uint8Array));
        return Buffer.concat(chunks).toString();
      },
    };
    requests.push(request);
    // Also of a handler that is not async: thrown out of here, an error would end the whole suite.
    const handled = (async () => handler(request, response))();
    handled.catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${port}`, requests };
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** The client under test, closed at the end of the test. */
export function clientOf(server: { readonly url: string }, options: Partial<MistralOptions> = {}) {
  const provider = createMistralProvider({ apiKey: API_KEY, baseUrl: server.url, ...options });
  onTestFinished(() => provider.close());
  return provider;
}

export function batchJob(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    id: '11111111-1111-4111-8111-111111111111',
    object: 'batch',
    input_files: ['22222222-2222-4222-8222-222222222222'],
    metadata: { longhaul_key: 'k1' },
    endpoint: '/v1/chat/completions',
    model: 'mistral-small-latest',
    agent_id: null,
    output_file: null,
    error_file: null,
    errors: [],
    outputs: null,
    status: 'QUEUED',
    created_at: 1_732_400_351,
    started_at: null,
    completed_at: null,
    total_requests: 0,
    completed_requests: 0,
    succeeded_requests: 0,
    failed_requests: 0,
    ...fields,
  };
}

/** A page of a list. */
export function page(data: readonly unknown[], total = data.length) {
  return { object: 'list', data, total };
}

export const CREATE = {
  fileId: '22222222-2222-4222-8222-222222222222',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
  timeoutHours: 24,
  metadata: { longhaul_key: 'k1' },
};

export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error('something other than an Error was thrown', { cause: error });
  }
  throw new Error('the call succeeded');
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
