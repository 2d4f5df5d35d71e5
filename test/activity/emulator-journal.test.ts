import { request } from 'node:http';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { chatRows, EmulatorClient, jsonl } from './emulator-support.js';

let client: EmulatorClient;

beforeEach(async () => {
  client = await EmulatorClient.start();
});

afterEach(async () => {
  await client.close();
});

test('records each request with its route, key, status and effect, and never the key itself', async () => {
  const id = await client.submit(chatRows(3), { metadata: { a: 'b' } });
  await client.send('GET', '/v1/batch/jobs?page=0&a=b');
  await client.send('POST', `/v1/batch/jobs/${id}/cancel`);
  await fetch(`${client.emulator.url}/v1/files`);

  const journal = await client.journal();
  expect(journal.map((entry) => [entry['n'], entry['route'], entry['status']])).toEqual([
    [1, 'uploadFile', 200],
    [2, 'createJob', 200],
    [3, 'listJobs', 200],
    [4, 'cancelJob', 200],
    [5, 'listFiles', 401],
  ]);
  expect(journal.map((entry) => entry['effect'])).toEqual([
    { uploaded: expect.any(String), bytes: jsonl(chatRows(3)).length, numLines: 3, filename: 'input.jsonl' },
    { created: id },
    null,
    { cancelled: id },
    null,
  ]);
  expect(journal[2]).toMatchObject({ method: 'GET', path: '/v1/batch/jobs', query: 'page=0&a=b' });
  expect(journal.map((entry) => entry['key'])).toEqual([
    ...Array<unknown>(4).fill(expect.stringMatching(/^[0-9a-f]{8}$/u)),
    null,
  ]);
  expect(JSON.stringify(journal)).not.toContain('test-key');
});

test('records requests to no route of the API, but not those to its own', async () => {
  expect((await client.send('POST', '/v1/chat/completions?a=b', { messages: [] })).status).toBe(404);
  expect((await client.send('PATCH', '/v1/files', {})).status).toBe(404);
  expect((await fetch(`${client.emulator.url}/v1/files/%zz`)).status).toBe(400);
  expect((await client.send('GET', '/_emulator/jobs')).status).toBe(200);
  expect((await client.send('GET', '/_emulator/nonsense')).status).toBe(404);

  const rest = { route: null, effect: null };
  expect(await client.journal()).toMatchObject([
    { n: 1, method: 'POST', path: '/v1/chat/completions', query: 'a=b', status: 404, ...rest },
    { n: 2, method: 'PATCH', path: '/v1/files', status: 404, ...rest },
    { n: 3, method: 'GET', path: '/v1/files/%zz', status: 400, ...rest },
  ]);
});

test('filters by route', async () => {
  await client.submit(chatRows(1));
  expect((await client.journal('?route=createJob')).map((entry) => entry['route'])).toEqual(['createJob']);
  expect((await client.send('GET', '/_emulator/journal?route=nonsense')).status).toBe(400);
});

test('a wait ends when the request arrives, although it has not been answered', async () => {
  await client.setFaults({ route: 'createJob', fault: { type: 'hold' } });
  const waiting = client.ok('GET', '/_emulator/journal?wait=createJob&count=1&timeout=5000');
  const submitting = client.submit(chatRows(1));
  expect(await waiting).toMatchObject({
    satisfied: true,
    requests: [{ route: 'createJob', status: null, effect: null }],
  });

  const answered = client.ok('GET', '/_emulator/journal?wait=createJob&until=answered&timeout=5000');
  expect(await client.ok('POST', '/_emulator/release', { route: 'createJob' })).toEqual({ released: 1 });
  const id = await submitting;
  expect(await answered).toMatchObject({
    satisfied: true,
    requests: [{ status: 200, effect: { created: id } }],
  });
});

test('a wait that is not satisfied says so after its timeout', async () => {
  expect(await client.ok('GET', '/_emulator/journal?wait=createJob&timeout=20')).toEqual({
    satisfied: false,
    requests: [],
  });
});

test('a client that goes away is marked, and its held create has no effect', async () => {
  await client.setFaults({ route: 'createJob', fault: { type: 'hold' } });
  const file = await client.upload(jsonl(chatRows(1)));
  const body = JSON.stringify({ endpoint: '/v1/chat/completions', model: 'm', input_files: [file['id']] });
  const pending = request(`${client.emulator.url}/v1/batch/jobs`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer test-key',
      'content-type': 'application/json',
      'content-length': body.length,
    },
  });
  pending.on('error', () => undefined);
  pending.end(body);
  await client.ok('GET', '/_emulator/journal?wait=createJob&timeout=5000');
  pending.destroy();

  await expect
    .poll(() => client.journal('?route=createJob'))
    .toMatchObject([{ aborted: true, status: null, effect: null, fault: 'hold' }]);
  expect(await client.ok('GET', '/_emulator/jobs')).toEqual({ jobs: [] });
});

test('lists the jobs of all workspaces', async () => {
  const mine = await client.submit(chatRows(1), { metadata: { who: 'me' } });
  const theirs = await client.as('other-key').submit(chatRows(1));
  expect(await client.ok('GET', '/_emulator/jobs')).toMatchObject({
    jobs: [{ id: mine, metadata: { who: 'me' } }, { id: theirs }],
  });
});

test('reset forgets jobs, files, rules and journal', async () => {
  await client.submit(chatRows(2));
  await client.setFaults({ route: 'listJobs', fault: { type: 'status', status: 503 } });
  await client.ok('POST', '/_emulator/reset');
  expect(await client.journal()).toEqual([]);
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 0 });
  expect(await client.ok('GET', '/v1/files')).toMatchObject({ total: 0 });
  expect(await client.ok('GET', '/_emulator/faults')).toEqual({ rules: [] });
});
