import { afterEach, beforeEach, expect, test } from 'vitest';

import { chatRows, EmulatorClient, jsonl, text, wires } from './emulator-support.js';
import type { Wire } from './emulator-support.js';

/** Faults of the exchange and of an answer's contents. */

let client: EmulatorClient;

beforeEach(async () => {
  client = await EmulatorClient.start();
});

afterEach(async () => {
  await client.close();
});

async function totalOf(path: string): Promise<unknown> {
  return (await client.ok('GET', path))['total'];
}

async function createBody(): Promise<Wire> {
  const file = await client.upload(jsonl(chatRows(2)));
  return { endpoint: '/v1/chat/completions', model: 'm', input_files: [file['id']] };
}

test('latency delays the answer', async () => {
  await client.setFaults({ route: 'listJobs', fault: { type: 'latency', ms: 80 } });
  const before = performance.now();
  await client.ok('GET', '/v1/batch/jobs');
  expect(performance.now() - before).toBeGreaterThan(75);
});

test.each([
  [{ status: 400 }, 'text/html', '<html>'],
  [{ status: 401 }, 'application/json', '{"detail":"Unauthorized"}'],
  [{ status: 401, variant: 'gateway' }, 'application/json', '{"message":"Unauthorized","request_id":'],
  [{ status: 402 }, 'application/json', 'payment'],
  [{ status: 403 }, 'application/json', 'forbidden'],
  [{ status: 404 }, 'application/json', 'not found'],
  [{ status: 422 }, 'application/json', '"loc":["body"]'],
  [{ status: 422, variant: 'nested' }, 'application/json', '"message":{"detail":[{"loc":["body","model"]'],
  [{ status: 422, variant: 'pending' }, 'application/json', 'pending'],
  [{ status: 400, variant: 'pending' }, 'application/json', 'pending'],
  [{ status: 429 }, 'application/json', '"code":"1300"'],
  [{ status: 429, variant: 'capacity' }, 'application/json', '"code":"3505"'],
  [{ status: 429, variant: 'pending' }, 'application/json', 'pending'],
  [{ status: 429, variant: 'legacy' }, 'application/json', '{"message":"Requests rate limit exceeded"}'],
  [{ status: 500 }, 'application/json', 'Internal server error'],
  [{ status: 502 }, 'text/html', 'Bad Gateway'],
  [{ status: 503 }, 'application/json', 'Service unavailable.'],
  [{ status: 503, variant: 'html' }, 'text/html', '<html>'],
  [{ status: 504 }, 'text/html', 'Gateway Timeout'],
  [{ status: 418 }, 'application/json', 'HTTP 418'],
])('status %j is sent with its documented body, without effect', async (fault, contentType, body) => {
  const create = await createBody();
  await client.setFaults({ route: 'createJob', fault: { type: 'status', ...fault } });
  const response = await client.send('POST', '/v1/batch/jobs', create);
  expect(response.status).toBe(fault.status);
  expect(response.headers.get('content-type')).toContain(contentType);
  expect(response.headers.get('retry-after')).toBeNull();
  expect(await response.text()).toContain(body);
  expect(await totalOf('/v1/batch/jobs')).toBe(0);
  expect(await client.journal('?route=createJob')).toMatchObject([
    { status: fault.status, effect: null, fault: 'status' },
  ]);
});

test('status 429 can carry Retry-After, or say that the plan has a limit of 0', async () => {
  await client.setFaults(
    { route: 'listJobs', nth: 1, fault: { type: 'status', status: 429, retryAfter: 7 } },
    { route: 'listJobs', nth: 2, fault: { type: 'status', status: 429, variant: 'not_in_plan' } },
  );
  expect((await client.send('GET', '/v1/batch/jobs')).headers.get('retry-after')).toBe('7');
  expect((await client.send('GET', '/v1/batch/jobs')).headers.get('x-ratelimit-limit-req-minute')).toBe('0');
  expect((await client.send('GET', '/v1/batch/jobs')).status).toBe(200);
});

test.each([
  ...[400, 401, 402, 403, 404, 408, 413, 418, 422, 425, 429, 500, 502, 503, 504].map((status) => ({
    status,
  })),
  ...['rate_limited', 'capacity', 'pending', 'not_in_plan', 'legacy'].map((variant) => ({
    status: 429,
    variant,
  })),
  { status: 400, variant: 'pending' },
  { status: 401, variant: 'gateway' },
  { status: 422, variant: 'nested' },
  { status: 502, variant: 'html' },
])('status %j carries the Retry-After that it is told to, before and after the effect', async (fault) => {
  const retryAfter = 'Wed, 21 Oct 2026 07:28:00 GMT';
  await client.setFaults(
    { route: 'listJobs', nth: 1, fault: { type: 'status', ...fault, retryAfter: 7 } },
    { route: 'listJobs', nth: 2, fault: { type: 'status', ...fault, when: 'after', retryAfter } },
  );
  for (const sent of ['7', retryAfter]) {
    const response = await client.send('GET', '/v1/batch/jobs');
    expect([response.status, response.headers.get('retry-after')]).toEqual([fault.status, sent]);
  }
});

test('status after the effect: the job and the file exist although the client is told otherwise', async () => {
  const create = await createBody();
  await client.setFaults({
    route: ['createJob', 'uploadFile'],
    fault: { type: 'status', status: 502, when: 'after' },
  });
  const response = await client.send('POST', '/v1/batch/jobs', create);
  expect(response.status).toBe(502);
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(await response.text()).toContain('</html>');
  expect((await client.sendFile('{}')).status).toBe(502);
  expect(await totalOf('/v1/batch/jobs')).toBe(1);
  expect(await totalOf('/v1/files')).toBe(2);
  expect(await client.journal('?route=createJob')).toMatchObject([
    { status: 502, effect: { created: expect.any(String) } },
  ]);
});

test('reset before the effect leaves nothing; after it, the job', async () => {
  const create = await createBody();
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'reset' } },
    { route: 'createJob', nth: 2, fault: { type: 'reset', when: 'after' } },
  );
  await expect(client.send('POST', '/v1/batch/jobs', create)).rejects.toThrow('fetch failed');
  expect(await totalOf('/v1/batch/jobs')).toBe(0);
  await expect(client.send('POST', '/v1/batch/jobs', create)).rejects.toThrow('fetch failed');
  expect(await totalOf('/v1/batch/jobs')).toBe(1);
  const journal = await client.journal('?route=createJob');
  expect(journal).toMatchObject([
    { status: null, fault: 'reset' },
    { status: null, fault: 'reset' },
  ]);
  expect(journal.map((entry) => entry['aborted'])).toEqual([undefined, undefined]);
});

test('hold after the effect: the job exists, the answer comes when released', async () => {
  const create = await createBody();
  await client.setFaults({ route: 'createJob', fault: { type: 'hold', when: 'after' } });
  const answer = client.ok('POST', '/v1/batch/jobs', create);
  await client.ok('GET', '/_emulator/journal?wait=createJob&until=effect&timeout=5000');
  expect(await totalOf('/v1/batch/jobs')).toBe(1);
  await expect.poll(() => client.ok('POST', '/_emulator/release', {})).toEqual({ released: 1 });
  expect(await answer).toMatchObject({ status: 'QUEUED' });
});

test.each([
  ['drop', 0],
  ['proceed', 1],
])(
  'a held create whose client has gone: ifAborted %s makes %i jobs when released',
  async (ifAborted, jobs) => {
    const create = await createBody();
    await client.setFaults({ route: 'createJob', fault: { type: 'hold', ifAborted } });
    const abort = new AbortController();
    const body = JSON.stringify(create);
    const headers = { 'content-type': 'application/json' };
    const gone = client.fetch('/v1/batch/jobs', { method: 'POST', body, headers, signal: abort.signal });
    await client.ok('GET', '/_emulator/journal?wait=createJob&timeout=5000');
    abort.abort();
    await expect(gone).rejects.toThrow('aborted');
    await expect.poll(() => client.journal('?route=createJob')).toMatchObject([{ aborted: true }]);
    await client.ok('POST', '/_emulator/release', {});
    await expect.poll(() => totalOf('/v1/batch/jobs')).toBe(jobs);
  },
);

test('a held upload leaves nothing if its client goes away', async () => {
  await client.setFaults({ route: 'uploadFile', fault: { type: 'hold' } });
  const abort = new AbortController();
  const form = new FormData();
  form.set('file', new Blob(['{}']), 'a.jsonl');
  const gone = client.fetch('/v1/files', { method: 'POST', body: form, signal: abort.signal });
  await client.ok('GET', '/_emulator/journal?wait=uploadFile&timeout=5000');
  abort.abort();
  await expect(gone).rejects.toThrow('aborted');
  await expect
    .poll(() => client.journal('?route=uploadFile'))
    .toMatchObject([{ aborted: true, effect: null }]);
  expect(await totalOf('/v1/files')).toBe(0);
});

test('a held upload becomes a file when released', async () => {
  await client.setFaults({ route: 'uploadFile', fault: { type: 'hold' } });
  const upload = client.sendFile('x'.repeat(1_000_000));
  await client.ok('GET', '/_emulator/journal?wait=uploadFile&timeout=5000');
  expect(await totalOf('/v1/files')).toBe(0);
  await expect.poll(() => client.ok('POST', '/_emulator/release', {})).toEqual({ released: 1 });
  expect((await upload).status).toBe(200);
  expect(await totalOf('/v1/files')).toBe(1);
});

test('bytesNull writes null for a file size, in objects and lists', async () => {
  await client.setFaults({ route: ['uploadFile', 'getFile', 'listFiles'], fault: { type: 'bytesNull' } });
  const file = await client.upload('{}');
  expect(file['bytes']).toBeNull();
  expect((await client.ok('GET', `/v1/files/${text(file['id'])}`))['bytes']).toBeNull();
  expect(await client.ok('GET', '/v1/files')).toMatchObject({ data: [{ bytes: null }] });
});

test('unknownStatus writes a word that no client knows, while it lasts', async () => {
  const id = await client.submit(chatRows(1));
  await client.setFaults({ route: 'getJob', count: 2, fault: { type: 'unknownStatus', status: 'PAUSED' } });
  expect(await client.job(id)).toMatchObject({ status: 'PAUSED' });
  expect(await client.job(id)).toMatchObject({ status: 'PAUSED' });
  expect(await client.ended(id)).toMatchObject({ status: 'SUCCESS' });
});

test('wrongCounters writes counters that are not true', async () => {
  const id = await client.submit(chatRows(1));
  await client.setFaults(
    { route: 'getJob', nth: 1, fault: { type: 'wrongCounters' } },
    { route: 'getJob', nth: 2, fault: { type: 'wrongCounters', total_requests: 5 } },
  );
  expect(await client.job(id)).toMatchObject({ failed_requests: 1_000_000 });
  expect(await client.job(id)).toMatchObject({ total_requests: 5 });
});

test('poisonedItem puts an item that fits no schema into a list, or in the place of one', async () => {
  const id = await client.submit(chatRows(1));
  await client.setFaults(
    { route: 'listJobs', nth: 1, fault: { type: 'poisonedItem' } },
    { route: 'listJobs', nth: 2, fault: { type: 'poisonedItem', mode: 'replace' } },
  );
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ data: [{ id: null, status: 7 }, { id }] });
  expect((await client.ok('GET', '/v1/batch/jobs'))['data']).toMatchObject([{ id: null }]);
});

test('rawBody answers 200 with something else', async () => {
  await client.setFaults({
    route: '*',
    fault: { type: 'rawBody', body: '<p>hello</p>', contentType: 'text/html' },
  });
  const response = await client.send('GET', '/v1/batch/jobs');
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    200,
    'text/html',
    '<p>hello</p>',
  ]);
});

test('a rule can choose by the metadata of the job that a request is about', async () => {
  await client.setFaults({
    route: ['getJob', 'cancelJob', 'fileContent', 'getFile'],
    match: { metadata: { team: 'blue' } },
    fault: { type: 'status', status: 503 },
  });
  const [blue, red] = await Promise.all([
    client.submit(chatRows(1), { metadata: { team: 'blue' } }),
    client.submit(chatRows(1), { metadata: { team: 'red' } }),
  ]);
  const output = text((await client.ended(red))['output_file']);
  expect((await client.send('GET', `/v1/batch/jobs/${blue}`)).status).toBe(503);
  expect((await client.send('POST', `/v1/batch/jobs/${blue}/cancel`)).status).toBe(503);
  expect((await client.send('GET', `/v1/files/${output}/content`)).status).toBe(200);
  await expect
    .poll(async () => JSON.stringify(await client.ok('GET', '/_emulator/jobs')))
    .not.toContain('"completed_at":null');
  const { jobs } = await client.ok('GET', '/_emulator/jobs');
  const [ended] = wires(jobs).filter(({ id }) => id === blue);
  expect((await client.send('GET', `/v1/files/${text(ended?.['output_file'])}/content`)).status).toBe(503);
});

test('reset of the emulator breaks off what is held', async () => {
  const create = await createBody();
  await client.setFaults({ route: 'createJob', fault: { type: 'hold' } });
  const held = client.send('POST', '/v1/batch/jobs', create);
  const broken = expect(held).rejects.toThrow('fetch failed');
  await client.ok('GET', '/_emulator/journal?wait=createJob&timeout=5000');
  await client.ok('POST', '/_emulator/reset');
  await broken;
});

test('close breaks off what is held, delayed or waited for', async () => {
  const other = await EmulatorClient.start({ latencyMs: 60_000 });
  const ends = [
    other.send('GET', '/v1/batch/jobs'),
    other.send('GET', '/_emulator/journal?wait=createJob&timeout=60000'),
  ].map((request) =>
    request.then(
      () => 'answered',
      () => 'broken off',
    ),
  );
  await other.ok('GET', '/_emulator/journal?wait=listJobs&timeout=5000');
  await other.close();
  expect(await ends[0]).toBe('broken off');
  await ends[1];
});
