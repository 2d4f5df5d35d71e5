import { afterEach, beforeEach, expect, test } from 'vitest';

import { chatRows, customIds, EmulatorClient, jsonl, lines, text, wire, wires } from './emulator-support.js';
import type { Wire } from './emulator-support.js';

let client: EmulatorClient;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1);
  client = await EmulatorClient.start({
    jobSeconds: 100,
    cancelSeconds: 10,
    maxPendingRequests: 1000,
    now: () => now,
  });
});

afterEach(async () => {
  await client.close();
});

function after(seconds: number): void {
  now += seconds * 1000;
}

/** Polls, at a clock that stands still, until the work that goes on in the background shows. */
async function whenStatus(id: string, status: string): Promise<Wire> {
  await expect.poll(async () => (await client.job(id))['status'], { interval: 5 }).toBe(status);
  return client.job(id);
}

test('a job is QUEUED without a total, then RUNNING with progress in step with time, then SUCCESS', async () => {
  const id = await client.submit(chatRows(100));
  expect(await client.job(id)).toMatchObject({
    status: 'QUEUED',
    total_requests: 0,
    completed_requests: 0,
    started_at: null,
    completed_at: null,
    output_file: null,
    error_file: null,
    errors: [],
  });
  after(1);
  expect(await whenStatus(id, 'RUNNING')).toMatchObject({ total_requests: 100, started_at: now / 1000 });
  after(49.5);
  await expect.poll(async () => (await client.job(id))['completed_requests']).toBe(50);
  after(49.4);
  expect(await client.job(id)).toMatchObject({
    status: 'RUNNING',
    completed_requests: 99,
    output_file: null,
  });
  after(0.1);
  expect(await whenStatus(id, 'SUCCESS')).toMatchObject({
    completed_requests: 100,
    succeeded_requests: 100,
    failed_requests: 0,
    completed_at: Math.floor(now / 1000),
    error_file: null,
  });
});

test('cancel is a request: CANCELLED comes later, with what was answered when it was made', async () => {
  const id = await client.submit(chatRows(100));
  after(50.5);
  await whenStatus(id, 'RUNNING');
  expect(await client.ok('POST', `/v1/batch/jobs/${id}/cancel`)).toMatchObject({
    status: 'CANCELLATION_REQUESTED',
  });
  after(9);
  expect(await client.job(id)).toMatchObject({ status: 'CANCELLATION_REQUESTED', output_file: null });
  after(1);
  const job = await whenStatus(id, 'CANCELLED');
  expect(job).toMatchObject({
    total_requests: 100,
    completed_requests: 50,
    completed_at: Math.floor(now / 1000),
  });
  expect(lines(await client.download(job['output_file']))).toHaveLength(50);
});

test('the same share of a job keeps the same rows', async () => {
  const keep = async () => {
    const id = await client.submit(chatRows(60));
    after(50.5);
    await client.ok('POST', `/v1/batch/jobs/${id}/cancel`);
    after(10);
    return client.download((await whenStatus(id, 'CANCELLED'))['output_file']);
  };
  expect(await keep()).toBe(await keep());
});

test('a job cancelled before its first answer has no files; cancelling an ended job changes nothing', async () => {
  const id = await client.submit(chatRows(5));
  await client.ok('POST', `/v1/batch/jobs/${id}/cancel`);
  after(10);
  const cancelled = await whenStatus(id, 'CANCELLED');
  expect(cancelled).toMatchObject({ output_file: null, error_file: null, completed_requests: 0 });
  expect(await client.ok('POST', `/v1/batch/jobs/${id}/cancel`)).toEqual(cancelled);
});

test('a job longer than its timeout ends as TIMEOUT_EXCEEDED with what was answered until then', async () => {
  await client.setFaults({ route: 'createJob', fault: { type: 'jobSeconds', seconds: 7201 } });
  const id = await client.submit(chatRows(10), { timeout_hours: 1 });
  after(3600);
  const job = await whenStatus(id, 'TIMEOUT_EXCEEDED');
  expect(job).toMatchObject({ total_requests: 10, completed_requests: 4 });
  expect(lines(await client.download(job['output_file']))).toHaveLength(4);
});

test('rows that cannot be read fail as rows; an input of none fails the job', async () => {
  const id = await client.submit(
    '{"custom_id":"a","body":{"messages":[{"role":"user","content":"x"}]}}\nnonsense\n{"custom_id":"b"}\n{"custom_id":"c","body":{}}',
  );
  const empty = await client.submit('\n\n');
  after(100);
  const job = await whenStatus(id, 'SUCCESS');
  expect(job).toMatchObject({ total_requests: 4, succeeded_requests: 1, failed_requests: 3 });
  expect(customIds(await client.download(job['error_file'])).toSorted()).toEqual(['b', 'c', 'null']);
  expect(await whenStatus(empty, 'FAILED')).toMatchObject({
    errors: [{ message: 'Input has no requests', count: 1 }],
  });
});

test('reads several input files as one', async () => {
  const [first, second] = [
    await client.upload(jsonl(chatRows(2))),
    await client.upload(jsonl(chatRows(5).slice(2))),
  ];
  const job = await client.create({ input_files: [first['id'], second['id']] });
  after(100);
  const ended = await whenStatus(text(job['id']), 'SUCCESS');
  expect(customIds(await client.download(ended['output_file'])).toSorted()).toEqual(
    chatRows(5).map((row) => row.custom_id),
  );
});

test.each([
  ['no endpoint', { endpoint: undefined }, ['body', 'endpoint']],
  ['an unknown endpoint', { endpoint: '/v1/nope' }, ['body', 'endpoint']],
  ['a timeout of 0 hours', { timeout_hours: 0 }, ['body', 'timeout_hours']],
  ['a timeout of 169 hours', { timeout_hours: 169 }, ['body', 'timeout_hours']],
  ['a timeout of half hours', { timeout_hours: 1.5 }, ['body', 'timeout_hours']],
  ['an empty metadata key', { metadata: { '': 'x' } }, ['body', 'metadata', '', '[key]']],
  [
    'a metadata key of 33 characters',
    { metadata: { ['k'.repeat(33)]: 'x' } },
    ['body', 'metadata', 'k'.repeat(33), '[key]'],
  ],
  ['an empty metadata value', { metadata: { k: '' } }, ['body', 'metadata', 'k']],
  ['a metadata value of 513 characters', { metadata: { k: 'x'.repeat(513) } }, ['body', 'metadata', 'k']],
  ['a metadata value that is no text', { metadata: { k: 1 } }, ['body', 'metadata', 'k']],
  ['no input', { input_files: undefined }, ['body']],
  ['two inputs', { requests: [{ body: {} }] }, ['body']],
  ['neither model nor agent', { model: undefined }, ['body']],
  ['no input file ids', { input_files: [] }, ['body', 'input_files']],
  [
    '10,001 inline requests',
    { input_files: undefined, requests: Array(10_001).fill({ body: {} }) },
    ['body', 'requests'],
  ],
  [
    'an inline request without a body',
    { input_files: undefined, requests: [{ custom_id: 'a' }] },
    ['body', 'requests', 0, 'body'],
  ],
])('create refuses %s with a 422', async (_name, change, loc) => {
  const file = await client.upload(jsonl(chatRows(1)));
  const body = { endpoint: '/v1/chat/completions', model: 'm', input_files: [file['id']], ...change };
  const response = await client.send('POST', '/v1/batch/jobs', body);
  expect(response.status).toBe(422);
  const { detail } = wire(await response.json());
  expect(wires(detail).map((issue) => issue['loc'])).toContainEqual(loc);
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 0 });
});

test('create refuses what is not JSON, and input files that do not exist', async () => {
  const broken = await client.fetch('/v1/batch/jobs', {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' },
  });
  expect(broken.status).toBe(422);
  const missing = { endpoint: '/v1/ocr', model: 'm', input_files: ['00000000-0000-4000-8000-000000000000'] };
  expect((await client.send('POST', '/v1/batch/jobs', missing)).status).toBe(404);
});

test('an agent, or models named by the inline rows, stand in for the job model', async () => {
  const requests = [
    { custom_id: 'a', body: { model: 'mistral-tiny', messages: [{ role: 'user', content: 'Hi' }] } },
  ];
  const job = await client.create({ requests, model: undefined });
  expect(job).toMatchObject({ model: null, input_files: [] });
  expect(await client.create({ requests, model: undefined, agent_id: 'ag-1' })).toMatchObject({
    agent_id: 'ag-1',
  });
  after(100);
  const ended = await whenStatus(text(job['id']), 'SUCCESS');
  expect(lines(await client.download(ended['output_file']))).toMatchObject([
    { response: { body: { model: 'mistral-tiny' } } },
  ]);
});

test('pending requests have a quota for each workspace, which ended jobs give back', async () => {
  const file = await client.upload(jsonl(chatRows(600)));
  const body = { endpoint: '/v1/chat/completions', model: 'm', input_files: [file['id']] };
  const first = text((await client.create(body))['id']);
  const refused = await client.send('POST', '/v1/batch/jobs', body);
  expect(refused.status).toBe(429);
  expect(await refused.text()).toContain('pending');
  await client.as('other').submit(chatRows(600));
  after(100);
  await whenStatus(first, 'SUCCESS');
  expect((await client.send('POST', '/v1/batch/jobs', body)).status).toBe(200);
});

test('lists by page, order, model, agent, status, time and all of the metadata given', async () => {
  const submit = (model: string, metadata: Wire) => client.submit(chatRows(1), { model, metadata });
  const first = await submit('small', { team: 'a', run: '1' });
  after(100);
  await whenStatus(first, 'SUCCESS');
  const second = await submit('large', { team: 'a', run: '2' });
  const third = await submit('large', { team: 'b', run: '2' });
  const list = async (query: string) => {
    const listed = await client.ok('GET', `/v1/batch/jobs?${query}`);
    return { ids: wires(listed['data']).map((job) => job['id']), total: listed['total'] };
  };
  expect(await list('')).toEqual({ ids: [third, second, first], total: 3 });
  expect(await list('order_by=created')).toEqual({ ids: [first, second, third], total: 3 });
  expect(await list('page=1&page_size=2')).toEqual({ ids: [first], total: 3 });
  expect(await list('page=9')).toEqual({ ids: [], total: 3 });
  expect(await list('model=large')).toEqual({ ids: [third, second], total: 2 });
  expect(await list('agent_id=ag')).toEqual({ ids: [], total: 0 });
  expect(await list('status=SUCCESS&status=FAILED')).toEqual({ ids: [first], total: 1 });
  expect(await list('team=a')).toEqual({ ids: [second, first], total: 2 });
  expect(await list('team=a&run=2')).toEqual({ ids: [second], total: 1 });
  expect(await list(`metadata=${encodeURIComponent('{"team":"b"}')}`)).toEqual({ ids: [third], total: 1 });
  expect(await list('nobody=has-this')).toEqual({ ids: [], total: 0 });
  expect(await list(`created_after=${encodeURIComponent(new Date(now - 1).toISOString())}`)).toMatchObject({
    total: 2,
  });
});

test.each([
  'page=-1',
  'page=x',
  'page_size=0',
  'status=NOPE',
  'order_by=size',
  'created_after=then',
  'created_by_me=maybe',
  'metadata=x',
])('list refuses %s with a 422', async (query) => {
  expect((await client.send('GET', `/v1/batch/jobs?${query}`)).status).toBe(422);
});

test('jobs of another key, unknown and malformed ids do not exist', async () => {
  const id = await client.submit(chatRows(1));
  const stranger = client.as('stranger');
  expect((await stranger.send('GET', `/v1/batch/jobs/${id}`)).status).toBe(404);
  expect((await stranger.send('POST', `/v1/batch/jobs/${id}/cancel`)).status).toBe(404);
  expect((await stranger.send('DELETE', `/v1/batch/jobs/${id}`)).status).toBe(404);
  expect((await client.send('GET', '/v1/batch/jobs/00000000-0000-4000-8000-000000000000')).status).toBe(404);
  expect((await client.send('GET', '/v1/batch/jobs/nonsense')).status).toBe(422);
  expect((await client.send('GET', '/v1/nonsense')).status).toBe(404);
});

test('keys that differ only after a # are of one workspace', async () => {
  const first = client.as('team');
  const id = await first.submit(chatRows(1));
  expect(await client.as('team#2').ok('GET', `/v1/batch/jobs/${id}`)).toMatchObject({ id });
  expect((await client.as('team2').send('GET', `/v1/batch/jobs/${id}`)).status).toBe(404);
});

test('a deleted job is gone, running or not; its input stays', async () => {
  const file = await client.upload(jsonl(chatRows(1)));
  const id = text((await client.create({ input_files: [file['id']] }))['id']);
  expect(await client.ok('DELETE', `/v1/batch/jobs/${id}`)).toEqual({ id, object: 'batch', deleted: true });
  expect((await client.send('GET', `/v1/batch/jobs/${id}`)).status).toBe(404);
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 0 });
  expect(await client.download(file['id'])).toBe(jsonl(chatRows(1)));
});

test('a job reads on from an input file that was deleted after it had begun', async () => {
  const file = await client.upload(jsonl(chatRows(3)));
  const id = text((await client.create({ input_files: [file['id']] }))['id']);
  after(1);
  await whenStatus(id, 'RUNNING');
  await client.ok('DELETE', `/v1/files/${text(file['id'])}`);
  after(99);
  expect(await whenStatus(id, 'SUCCESS')).toMatchObject({ succeeded_requests: 3 });
});
