import { createServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProviderError } from '../../providers/errors.js';
import {
  API_KEY,
  batchJob,
  clientOf,
  collect,
  CREATE,
  failureOf,
  json,
  page,
  rawServer,
  type Handler,
} from './providers-raw-server.js';

async function createAgainst(handler: Handler, timeoutMs = 5_000): Promise<Error> {
  const server = await rawServer(handler);
  return failureOf(clientOf(server).createJob(CREATE, { timeoutMs }));
}

describe('creating a job', () => {
  it('sends one POST on a connection of its own and reads the job', async () => {
    const bodies: string[] = [];
    const server = await rawServer(async (request, response) => {
      bodies.push(await request.body());
      json(response, batchJob());
    });
    const client = clientOf(server, { userAgent: 'longhaul/test' });
    await client.checkAccount({}).catch(() => undefined);
    const job = await client.createJob(CREATE, {});
    const [, create] = server.requests;
    expect(server.requests).toHaveLength(2);
    expect([create?.method, create?.url.pathname]).toEqual(['POST', '/v1/batch/jobs']);
    expect(create?.headers).toMatchObject({
      authorization: `Bearer ${API_KEY}`,
      'content-type': 'application/json',
      'user-agent': 'longhaul/test',
      connection: 'close',
    });
    expect(create?.socket).not.toBe(server.requests[0]?.socket);
    expect(JSON.parse(bodies[1] ?? '')).toEqual({
      endpoint: '/v1/chat/completions',
      input_files: [CREATE.fileId],
      model: 'mistral-small-latest',
      timeout_hours: 24,
      metadata: { longhaul_key: 'k1' },
    });
    expect(job).toMatchObject({ id: batchJob().id, phase: 'pending', createdAt: 1_732_400_351_000 });
  });

  it.each([200, 201, 202])('takes %i for a success', async (status) => {
    const server = await rawServer((_request, response) => json(response, batchJob(), status));
    await expect(clientOf(server).createJob(CREATE, {})).resolves.toMatchObject({ status: 'QUEUED' });
  });

  it('says that nothing happened when the connection is refused', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const client = clientOf({ url: `http://127.0.0.1:${port}` });
    const error = await failureOf(client.createJob(CREATE, {}));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', effect: 'refused' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('says that nothing happened when the name is not known', async () => {
    const client = clientOf({ url: 'http://no-such-host.invalid' });
    const error = await failureOf(client.createJob(CREATE, {}));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', effect: 'refused' });
  });

  it.each<[string, Handler]>([
    ['the connection is reset before an answer', (request) => void request.socket.resetAndDestroy()],
    ['the connection is closed before an answer', (request) => void request.socket.destroy()],
    [
      'it is reset after the request was read',
      async (request) => {
        await request.body();
        request.socket.resetAndDestroy();
      },
    ],
    [
      'the answer breaks off',
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
        response.write('{"id":', () => request.socket.destroy());
      },
    ],
    ['the answer is a 502', (_request, response) => json(response, { message: 'bad gateway' }, 502)],
    ['the answer is a 408', (_request, response) => json(response, {}, 408)],
    ['the answer is a success without a body', (_request, response) => void response.writeHead(204).end()],
    ['the answer is a success that is not JSON', (_request, response) => void response.end('<html>')],
    ['the answer is a job without an id', (_request, response) => json(response, batchJob({ id: null }))],
  ])('is ambiguous when %s', async (_what, handler) => {
    expect(await createAgainst(handler)).toMatchObject({ type: 'ProviderAmbiguous', effect: 'unknown' });
  });

  it('is ambiguous when no answer comes in time', async () => {
    const error = await createAgainst(() => undefined, 100);
    expect(error).toMatchObject({ type: 'ProviderAmbiguous', effect: 'unknown' });
    expect(error.message).toContain('0.1 s');
  });

  it.each([
    [400, 'ProviderRejected'],
    [401, 'ProviderAuth'],
    [402, 'ProviderQuota'],
    [403, 'ProviderForbidden'],
    [404, 'ProviderNotFound'],
    [422, 'ProviderRejected'],
    [425, 'ProviderUnavailable'],
    [429, 'ProviderRateLimited'],
  ])('is definitely refused by a %i', async (status, type) => {
    const error = await createAgainst((_request, response) => json(response, { detail: 'no' }, status));
    expect(error).toMatchObject({ type, status, effect: 'refused' });
  });

  it('is rejected, not short of quota, when the refusal repeats the name of what is sent', async () => {
    for (const model of [
      'ft:open-mistral-7b:acme:billing-classifier',
      'acme/quota-exceeded',
      'quota exceeded',
    ]) {
      const server = await rawServer((_request, response) =>
        json(response, { object: 'error', message: `Invalid model: ${model}`, type: 'invalid_model' }, 400),
      );
      const error = await failureOf(clientOf(server).createJob({ ...CREATE, model }, {}));
      expect(error).toMatchObject({ type: 'ProviderRejected', effect: 'refused' });
    }
    const metadata = { ...CREATE.metadata, topic: 'billing-enabled', note: 'Quota exceeded' };
    const server = await rawServer((_request, response) =>
      json(response, { detail: [{ msg: `bad metadata: ${Object.values(metadata).join(', ')}` }] }, 422),
    );
    const error = await failureOf(clientOf(server).createJob({ ...CREATE, metadata }, {}));
    expect(error).toMatchObject({ type: 'ProviderRejected', effect: 'refused' });
  });

  it('survives a page of HTML as the answer, and keeps the excerpt out of the message', async () => {
    const page = `<html>${'<p>too large</p>'.repeat(20_000)}</html>`;
    const error = await createAgainst((_request, response) => {
      response.writeHead(400, { 'content-type': 'text/html' }).end(page);
    });
    expect(error).toMatchObject({ type: 'ProviderRejected', effect: 'refused' });
    expect(error.message).not.toContain('<');
    expect(error).toHaveProperty('excerpt', page.slice(0, 2048));
  });

  it('takes a compressed refusal by its status, and a compressed success for a doubt', async () => {
    const compressed =
      (status: number): Handler =>
      (_request, response) =>
        void response
          .writeHead(status, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
          .end(gzipSync(JSON.stringify(status < 300 ? batchJob() : { detail: 'quota exceeded' })));
    const refusals = [
      [422, 'ProviderRejected', 'refused'],
      [401, 'ProviderAuth', 'refused'],
      [429, 'ProviderRateLimited', 'refused'],
      [503, 'ProviderAmbiguous', 'unknown'],
    ] as const;
    for (const [status, type, effect] of refusals) {
      const error = await createAgainst(compressed(status));
      expect(error).toMatchObject({ type, effect, status });
      expect(error).toHaveProperty('excerpt', '');
    }
    expect(await createAgainst(compressed(200))).toMatchObject({ type: 'ProviderAmbiguous', status: 200 });
  });

  it('does not follow a redirect, and calls only "see other" a doubt', async () => {
    const to =
      (status: number): Handler =>
      (_request, response) =>
        void response.writeHead(status, { location: '/elsewhere' }).end();
    expect(await createAgainst(to(307))).toMatchObject({ type: 'ProviderContract', effect: 'refused' });
    expect(await createAgainst(to(303))).toMatchObject({ type: 'ProviderAmbiguous' });
  });

  it('sends nothing that breaks a documented limit', async () => {
    const server = await rawServer((_request, response) => json(response, batchJob()));
    const client = clientOf(server);
    for (const wrong of [
      { timeoutHours: 169 },
      { timeoutHours: 0.5 },
      { endpoint: '/v1/nope' },
      { model: '' },
      { metadata: { ['k'.repeat(33)]: 'v' } },
      { metadata: { key: 'v'.repeat(513) } },
    ]) {
      const error = await failureOf(client.createJob({ ...CREATE, ...wrong }, {}));
      expect(error).toMatchObject({ type: 'ProviderRejected', effect: 'refused' });
    }
    expect(server.requests).toHaveLength(0);
  });

  it('waits for its turn within its time-out, and then was never sent', async () => {
    const server = await rawServer((_request, response) => json(response, batchJob()));
    const client = clientOf(server, { requestsPerSecond: 0.01 });
    await client.getJob('one', {});
    const error = await failureOf(client.createJob(CREATE, { timeoutMs: 50 }));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', effect: 'refused' });
    expect(server.requests).toHaveLength(1);
  });

  it('says that nothing happened when the connection is never made', async () => {
    // Takes the connection and then says nothing, so that TLS never comes about.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket.on('error', () => undefined)));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const client = clientOf({ url: `https://127.0.0.1:${port}` });
    const error = await failureOf(client.createJob(CREATE, { timeoutMs: 100 }));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', effect: 'refused' });
    expect(error.message).toContain('not sent within 0.1 s');
    const reason = new Error('worker shuts down');
    const controller = new AbortController();
    const call = client.createJob(CREATE, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(call).rejects.toBe(reason);
  });

  it('fails with ProviderAuth, unsent, when there is no key', async () => {
    const server = await rawServer((_request, response) => json(response, batchJob()));
    const error = await failureOf(clientOf(server, { apiKey: null }).createJob(CREATE, {}));
    expect(error).toMatchObject({ type: 'ProviderAuth', effect: 'refused' });
    expect(error.message).toContain('MISTRAL_API_KEY');
    expect(server.requests).toHaveLength(0);
  });
});

describe('any call', () => {
  it('throws the reason of its signal, before and during the request', async () => {
    const server = await rawServer(() => undefined);
    const client = clientOf(server);
    const reason = new Error('worker shuts down');
    await expect(client.getJob('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
    const controller = new AbortController();
    const call = client.getJob('x', { signal: controller.signal });
    await expect.poll(() => server.requests.length).toBe(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('never shows the API key, even if the provider repeats it', async () => {
    const server = await rawServer((request, response) =>
      json(response, { message: `key ${request.headers.authorization} is bad`, type: API_KEY }, 401),
    );
    const error = await failureOf(clientOf(server).getJob('x', {}));
    const shown = JSON.stringify([error.message, error.stack, error, String(error.cause)]);
    expect(shown).not.toContain(API_KEY);
    expect(error).toMatchObject({ type: 'ProviderAuth' });
    expect(error).toHaveProperty('excerpt', expect.stringContaining('[API key]'));
  });

  it('keeps a path in the base URL, and encodes ids', async () => {
    const server = await rawServer((_request, response) => json(response, batchJob()));
    const client = clientOf({ url: `${server.url}/proxy/` });
    await client.getJob('a/../b?c', {});
    expect(server.requests[0]?.url.pathname).toBe('/proxy/v1/batch/jobs/a%2F..%2Fb%3Fc');
    await expect(client.getJob('..', {})).rejects.toMatchObject({ type: 'ProviderNotFound' });
    expect(server.requests).toHaveLength(1);
  });

  it('reports the wait that a 429 asks for', async () => {
    const server = await rawServer((_request, response) => {
      response.writeHead(429, { 'retry-after': '7' }).end('{}');
    });
    await expect(clientOf(server).getJob('x', {})).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it('refuses an answer that is compressed unasked', async () => {
    const server = await rawServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('xx');
    });
    await expect(clientOf(server).getJob('x', {})).rejects.toMatchObject({ type: 'ProviderContract' });
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
  });
});

describe('cancelling a job', () => {
  it('returns what the cancel answers', async () => {
    const server = await rawServer((_request, response) =>
      json(response, batchJob({ status: 'CANCELLATION_REQUESTED' })),
    );
    await expect(clientOf(server).cancelJob('j', {})).resolves.toMatchObject({ phase: 'cancelling' });
    expect(server.requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      'POST /v1/batch/jobs/j/cancel',
    ]);
  });

  const refusing =
    (status: number, job: unknown): Handler =>
    (request, response) =>
      request.method === 'POST' ? json(response, { detail: 'no' }, status) : json(response, job);

  it.each([400, 404, 409, 422])('takes a %i for an ended job as its end', async (status) => {
    const server = await rawServer(refusing(status, batchJob({ status: 'SUCCESS' })));
    await expect(clientOf(server).cancelJob('j', {})).resolves.toMatchObject({ phase: 'succeeded' });
  });

  it('keeps the refusal when the job still runs, and other errors as they are', async () => {
    const running = await rawServer(refusing(409, batchJob({ status: 'RUNNING' })));
    await expect(clientOf(running).cancelJob('j', {})).rejects.toMatchObject({ status: 409 });
    const down = await rawServer(refusing(503, batchJob({ status: 'SUCCESS' })));
    await expect(clientOf(down).cancelJob('j', {})).rejects.toMatchObject({ type: 'ProviderUnavailable' });
    expect(down.requests).toHaveLength(1);
  });

  it("asks for the job when the cancel was taken but its answer can't be read", async () => {
    const server = await rawServer((request, response) =>
      request.method === 'POST' ? void response.writeHead(202).end() : json(response, batchJob()),
    );
    await expect(clientOf(server).cancelJob('j', {})).resolves.toMatchObject({ phase: 'pending' });
  });
});

describe('listing jobs', () => {
  const ours = { metadata: { longhaul_key: 'k1' } };

  it('asks for each pair as a parameter of its own, and compares again itself', async () => {
    const server = await rawServer((_request, response) =>
      json(response, page([batchJob(), batchJob({ id: 'other', metadata: { longhaul_key: 'k2' } })])),
    );
    const filter = { metadata: { longhaul_key: 'k1', status: 'mine' } };
    expect(await collect(clientOf(server).listJobs(filter, {}))).toEqual([]);
    expect(Object.fromEntries(server.requests[0]?.url.searchParams ?? [])).toEqual({
      page: '0',
      page_size: '100',
      order_by: '-created',
      longhaul_key: 'k1',
    });
    const jobs = await collect(clientOf(server).listJobs(ours, {}));
    expect(jobs.map((job) => job.id)).toEqual([batchJob().id]);
  });

  it('walks all pages of a list that grows and ignores the filter', async () => {
    const all = Array.from({ length: 250 }, (_, n) =>
      batchJob({ id: `job-${n}`, metadata: n === 249 ? { longhaul_key: 'k1' } : null }),
    );
    let added = 0;
    const server = await rawServer((request, response) => {
      const number = Number(request.url.searchParams.get('page'));
      const shown = all.slice(number * 100, number * 100 + 100);
      // A job that comes in at the top pushes the others down by one.
      all.unshift(batchJob({ id: `new-${added++}`, metadata: {} }));
      json(response, page(shown, all.length - 1));
    });
    const jobs = await collect(clientOf(server).listJobs(ours, {}));
    expect(jobs.map((job) => job.id)).toEqual(['job-249']);
  });

  it('lets one bad entry hide neither another job nor itself', async () => {
    const bad = { ...batchJob({ id: 'bad', created_at: 'yesterday' }) };
    const server = await rawServer((request, response) => {
      if (request.url.pathname === '/v1/batch/jobs') json(response, page([{}, 7, bad, batchJob()]));
      else json(response, batchJob({ id: 'bad' }));
    });
    const jobs = await collect(clientOf(server).listJobs(ours, {}));
    expect(jobs.map((job) => job.id)).toEqual([batchJob().id, 'bad']);
  });

  it('fails rather than say "none" when an entry can\'t be told from the one looked for', async () => {
    for (const entry of [null, {}, { metadata: { longhaul_key: 'k1' } }]) {
      const server = await rawServer((_request, response) => json(response, page([entry])));
      const error = await failureOf(collect(clientOf(server).listJobs(ours, {})));
      expect(error).toMatchObject({ type: 'ProviderContract' });
    }
  });

  it("leaves alone what is bad but visibly somebody else's", async () => {
    const entries = [{ metadata: null }, { metadata: { longhaul_key: 'k2' } }, { id: 'gone' }];
    const server = await rawServer((request, response) => {
      if (request.url.pathname === '/v1/batch/jobs') json(response, page(entries));
      else json(response, { detail: 'unknown job' }, 404);
    });
    expect(await collect(clientOf(server).listJobs(ours, {}))).toEqual([]);
    expect(server.requests.map(({ url }) => url.pathname)).toContain('/v1/batch/jobs/gone');
  });

  it("passes over a colleague's job without metadata, unless it may be the one looked for", async () => {
    const old = { ...batchJob({ id: 'old', created_at: '2024-11-23' }), metadata: undefined };
    const server = await rawServer((request, response) =>
      json(response, request.url.pathname === '/v1/batch/jobs' ? page([old]) : old),
    );
    const list = (may: boolean) =>
      collect(
        clientOf(server).listJobs(
          { ...ours, mayLackMetadataSince: () => Promise.resolve(may ? 0 : null) },
          {},
        ),
      );
    expect(await list(false)).toEqual([]);
    const error = await failureOf(list(true));
    expect(error).toMatchObject({ type: 'ProviderContract' });
    expect(error.message).toContain('job old');
  });

  it('fails when a list that ignores page numbers may hide the job', async () => {
    const entries = Array.from({ length: 100 }, (_, n) => batchJob({ id: `job-${n}`, metadata: {} }));
    const server = await rawServer((_request, response) => json(response, page(entries, 101)));
    const error = await failureOf(collect(clientOf(server).listJobs(ours, {})));
    expect(error).toMatchObject({ type: 'ProviderContract' });
    expect(server.requests.length).toBeLessThan(6);
  });

  it('refuses what is no list', async () => {
    const server = await rawServer((_request, response) => json(response, { object: 'page' }));
    await expect(clientOf(server).checkAccount({})).rejects.toMatchObject({ type: 'ProviderContract' });
  });

  it('gives all jobs when nothing is filtered', async () => {
    const server = await rawServer((_request, response) => json(response, page([batchJob(), {}])));
    expect(await collect(clientOf(server).listJobs({}, {}))).toHaveLength(1);
  });
});

it("throws nothing but ProviderError for the provider's failures", async () => {
  const error = await createAgainst((_request, response) => void response.writeHead(500).end());
  expect(error).toBeInstanceOf(ProviderError);
});
