import { afterEach, beforeEach, expect, test } from 'vitest';

import { chatRows, customIds, EmulatorClient, lines, text, wire, wires } from './emulator-support.js';
import type { Wire } from './emulator-support.js';

/** Faults that a job is created with and keeps. */

let client: EmulatorClient;

beforeEach(async () => {
  client = await EmulatorClient.start();
});

afterEach(async () => {
  await client.close();
});

function onCreate(fault: Wire): Promise<void> {
  return client.setFaults({ route: 'createJob', fault });
}

const IDS = chatRows(10).map((row) => String(row.custom_id));

test('stuckQueued: the job never starts, but can be cancelled', async () => {
  await client.setFaults({ route: 'createJob', nth: 1, fault: { type: 'stuckQueued' } });
  const id = await client.submit(chatRows(2));
  await client.run(chatRows(2));
  expect(await client.job(id)).toMatchObject({ status: 'QUEUED', total_requests: 0, started_at: null });
  await client.ok('POST', `/v1/batch/jobs/${id}/cancel`);
  expect(await client.ended(id)).toMatchObject({
    status: 'CANCELLED',
    output_file: null,
    completed_requests: 0,
  });
});

test('jobSeconds gives one job its own duration', async () => {
  await client.setFaults({ route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 3600 } });
  const long = await client.submit(chatRows(1));
  await client.run(chatRows(1));
  expect(await client.job(long)).toMatchObject({ completed_at: null });
});

test('jobSeconds can say how long the job is QUEUED', async () => {
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 3600, queued: 0 } },
    { route: 'createJob', nth: 2, fault: { type: 'jobSeconds', seconds: 3600, queued: 1800 } },
  );
  const [running, queued] = [await client.submit(chatRows(1)), await client.submit(chatRows(1))];
  await expect.poll(async () => (await client.job(running))['status']).toBe('RUNNING');
  expect(await client.job(queued)).toMatchObject({ status: 'QUEUED' });
});

test('resultRetention: the files of one job are gone early', async () => {
  await client.setFaults({ route: 'createJob', nth: 1, fault: { type: 'resultRetention', seconds: 0 } });
  const files = [];
  for (const _ of [1, 2]) {
    const job = await client.ended(await client.submit(chatRows(1)));
    files.push(text(job['output_file']));
  }
  const status = async (id = '') => (await client.send('GET', `/v1/files/${id}/content`)).status;
  expect([await status(files[0]), await status(files[1])]).toEqual([404, 200]);
});

test('a job whose input file is deleted while it is QUEUED fails when it would begin', async () => {
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 1, queued: 0.5 } },
    { route: 'createJob', nth: 2, fault: { type: 'jobSeconds', seconds: 1, queued: 0 } },
    { route: 'createJob', nth: 3, fault: { type: 'stuckQueued' } },
  );
  const ids = [];
  for (const _ of [1, 2, 3]) {
    const id = await client.submit(chatRows(2));
    if (ids.length === 1) await expect.poll(async () => (await client.job(id))['status']).toBe('RUNNING');
    const [file] = (await client.job(id))['input_files'] as string[];
    await client.ok('DELETE', `/v1/files/${text(file)}`);
    ids.push(id);
  }
  const [early = '', late = '', stuck = ''] = ids;
  expect(await client.ended(early)).toMatchObject({
    status: 'FAILED',
    errors: [{ message: 'An input file was not found', count: 1 }],
    completed_requests: 0,
    output_file: null,
  });
  expect(await client.ended(late)).toMatchObject({ status: 'SUCCESS', succeeded_requests: 2 });
  expect(await client.job(stuck)).toMatchObject({ status: 'QUEUED' });
});

test.each([
  ['FAILED', 0, 0],
  ['FAILED', 0.5, 5],
  ['TIMEOUT_EXCEEDED', 0, 0],
  ['TIMEOUT_EXCEEDED', 0.3, 3],
  ['CANCELLED', 0.2, 2],
])('jobOutcome %s with a share of %d keeps %i of ten rows', async (status, share, kept) => {
  const errors = [{ message: 'Model is gone', count: 10 }];
  await onCreate({ type: 'jobOutcome', status, share, errors });
  const { job, output } = await client.run(chatRows(10));
  expect(job).toMatchObject({ status, errors, completed_requests: kept, total_requests: 10 });
  expect(job['output_file'] === null).toBe(kept === 0);
  expect(customIds(output)).toHaveLength(kept);
});

test('cancelRace: the cancel is accepted and the job succeeds all the same', async () => {
  await client.setFaults(
    { route: 'createJob', fault: { type: 'cancelRace' } },
    { route: 'createJob', fault: { type: 'jobSeconds', seconds: 3600 } },
  );
  const id = await client.submit(chatRows(10));
  expect(await client.ok('POST', `/v1/batch/jobs/${id}/cancel`)).toMatchObject({
    status: 'CANCELLATION_REQUESTED',
  });
  expect(await client.ended(id)).toMatchObject({ status: 'SUCCESS', succeeded_requests: 10 });
});

test('missingRows: counters claim them, the file lacks them', async () => {
  await onCreate({ type: 'missingRows', customIds: ['row-3'] });
  const { job, output } = await client.run(chatRows(10));
  expect(job).toMatchObject({ succeeded_requests: 10 });
  expect(customIds(output).toSorted()).toEqual(IDS.filter((id) => id !== 'row-3'));
});

test('missingRows of all rows leave no output file', async () => {
  await onCreate({ type: 'missingRows', share: 1 });
  expect((await client.run(chatRows(3))).job).toMatchObject({
    status: 'SUCCESS',
    output_file: null,
    error_file: null,
  });
});

test('duplicateRows: a second line for a row, alike or differing', async () => {
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'duplicateRows', count: 2 } },
    { route: 'createJob', nth: 2, fault: { type: 'duplicateRows', customIds: ['row-5'], differing: true } },
  );
  const alike = await client.run(chatRows(10));
  expect(customIds(alike.output).toSorted()).toEqual([...IDS, 'row-0', 'row-1'].toSorted());
  const differing = await client.run(chatRows(10));
  const bodies = lines(differing.output)
    .filter((line) => line['custom_id'] === 'row-5')
    .map((line) => wire(line['response'])['body']);
  expect(bodies).toHaveLength(2);
  expect(bodies[0]).not.toEqual(bodies[1]);
});

test('unknownRows: answers to what nobody asked', async () => {
  await onCreate({ type: 'unknownRows', customIds: ['ghost-1', 'ghost-2'] });
  const { output } = await client.run(chatRows(10));
  expect(customIds(output).toSorted()).toEqual(['ghost-1', 'ghost-2', ...IDS]);
});

test('malformedLines: a line that ends in the middle', async () => {
  await onCreate({ type: 'malformedLines', count: 1 });
  const { output } = await client.run(chatRows(10));
  const unreadable = output
    .trimEnd()
    .split('\n')
    .filter((line) => !line.endsWith('}'));
  expect(unreadable).toHaveLength(1);
});

test('lineEndings: CRLF and blank lines between the rows', async () => {
  await onCreate({ type: 'lineEndings' });
  const { output } = await client.run(chatRows(10));
  expect(output.split('\r\n').filter((line) => line === '')).toHaveLength(11);
  expect(output.replaceAll('\r\n', '')).not.toContain('\n');
  expect(customIds(output)).toHaveLength(10);
});

test('lineEndings: without a last line end, in either file and wherever the job ends', async () => {
  const lastLineEnd = { type: 'lineEndings', crlf: false, blankLines: false, lastLineEnd: false };
  await onCreate(lastLineEnd);
  await onCreate({ type: 'rowErrors', count: 3, status: 422 });
  const { output, error } = await client.run(chatRows(10));
  expect([output.split('\n').length, error.split('\n').length]).toEqual([7, 3]);
  expect([...customIds(output), ...customIds(error)].toSorted()).toEqual(IDS);

  await onCreate({ type: 'jobOutcome', status: 'TIMEOUT_EXCEEDED', share: 0.5 });
  const cut = await client.run(chatRows(10));
  expect(customIds(cut.output).length + customIds(cut.error).length).toBe(5);
  expect(cut.output).toMatch(/\}$/);

  await client.ok('DELETE', '/_emulator/faults');
  await onCreate({ ...lastLineEnd, crlf: true, blankLines: true });
  const spaced = (await client.run(chatRows(10))).output.split('\r\n');
  expect(spaced.map((line) => line === '')).toEqual(Array.from({ length: 19 }, (_, n) => n % 2 === 1));
});

test('transient404: a new job is unknown to the first gets, or for a time', async () => {
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'transient404', times: 2 } },
    { route: 'createJob', nth: 2, fault: { type: 'transient404', ms: 3_600_000 } },
  );
  const first = await client.submit(chatRows(1));
  const get = async (id: string) => (await client.send('GET', `/v1/batch/jobs/${id}`)).status;
  expect([await get(first), await get(first), await get(first)]).toEqual([404, 404, 200]);
  expect(await get(await client.submit(chatRows(1)))).toBe(404);
});

test('listLag: a new job is missing from the first lists, or for a time, but can be got', async () => {
  await client.setFaults(
    { route: 'createJob', nth: 1, fault: { type: 'listLag', calls: 1 } },
    { route: 'createJob', nth: 2, fault: { type: 'listLag', ms: 3_600_000 } },
  );
  const id = await client.submit(chatRows(1));
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 0 });
  expect(await client.job(id)).toMatchObject({ id });
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 1 });
  await client.submit(chatRows(1));
  expect(await client.ok('GET', '/v1/batch/jobs')).toMatchObject({ total: 1 });
});

test('rowErrors: chosen rows fail in their first attempts, then succeed', async () => {
  await onCreate({ type: 'rowErrors', customIds: ['row-1', 'row-2'], attempts: 2, status: 503 });
  const failed = async () => customIds((await client.run(chatRows(10))).error).toSorted();
  expect([await failed(), await failed(), await failed()]).toEqual([
    ['row-1', 'row-2'],
    ['row-1', 'row-2'],
    [],
  ]);
});

test.each([
  ['response', { response: { status_code: 400 }, error: null }],
  ['object', { response: null, error: { code: '400', message: expect.any(String) } }],
  ['string', { response: null, error: expect.any(String) }],
])('rowErrors can take the form of a %s', async (form, expected) => {
  await onCreate({ type: 'rowErrors', share: 1, status: 400, form });
  const { job, error } = await client.run(chatRows(2));
  expect(job).toMatchObject({ status: 'SUCCESS', output_file: null, failed_requests: 2 });
  expect(lines(error)).toMatchObject([expected, expected]);
});

test('rowErrors can say nothing at all, and then take no status', async () => {
  const fault = { type: 'rowErrors', share: 1, form: 'empty' };
  await onCreate(fault);
  const { job, error } = await client.run(chatRows(2));
  expect(job).toMatchObject({ status: 'SUCCESS', output_file: null, failed_requests: 2 });
  expect(lines(error)).toMatchObject([
    { custom_id: expect.any(String), response: null, error: null },
    { custom_id: expect.any(String), response: null, error: null },
  ]);
  const rules = [{ route: 'createJob', fault: { ...fault, status: 500 } }];
  const refused = await client.send('POST', '/_emulator/faults', { rules });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { error: 'fault.status means nothing to rows that say nothing: leave it out with the form empty.' },
  ]);
});

test('failuresInOutput: failed rows stand in the output file', async () => {
  await client.setFaults(
    { route: 'createJob', fault: { type: 'rowErrors', customIds: ['row-0'] } },
    { route: 'createJob', fault: { type: 'failuresInOutput' } },
  );
  const { job, output } = await client.run(chatRows(10));
  expect(job).toMatchObject({ error_file: null, failed_requests: 1, succeeded_requests: 9 });
  expect(customIds(output).toSorted()).toEqual(IDS);
});

test('a rule can choose its creates by metadata', async () => {
  await client.setFaults({
    route: 'createJob',
    match: { metadata: { shard: '2' } },
    fault: { type: 'jobOutcome', status: 'FAILED' },
  });
  expect((await client.run(chatRows(1), { metadata: { shard: '1' } })).job).toMatchObject({
    status: 'SUCCESS',
  });
  expect((await client.run(chatRows(1), { metadata: { shard: '2' } })).job).toMatchObject({
    status: 'FAILED',
  });
});

test('rules can be listed with their hits, and cleared', async () => {
  await client.setFaults({ route: 'getJob', from: 2, count: 1, fault: { type: 'status', status: 500 } });
  const id = await client.submit(chatRows(1));
  const statuses = [];
  for (let get = 0; get < 3; get += 1)
    statuses.push((await client.send('GET', `/v1/batch/jobs/${id}`)).status);
  expect(statuses).toEqual([200, 500, 200]);
  expect(await client.ok('GET', '/_emulator/faults')).toMatchObject({
    rules: [{ routes: ['getJob'], hits: 3 }],
  });
  await client.ok('DELETE', '/_emulator/faults');
  expect(await client.ok('GET', '/_emulator/faults')).toEqual({ rules: [] });
});

test('one rule can be taken away', async () => {
  const rules = [503, 504].map((status) => ({ route: 'listJobs', fault: { type: 'status', status } }));
  const [first] = wires((await client.ok('POST', '/_emulator/faults', { rules }))['rules']);
  await client.ok('DELETE', `/_emulator/faults/${text(first?.['id'])}`);
  expect((await client.send('GET', '/v1/batch/jobs')).status).toBe(504);
  expect((await client.send('DELETE', `/_emulator/faults/${text(first?.['id'])}`)).status).toBe(400);
});

test.each([
  [{}, 'The body must be'],
  [{ rules: [{ route: 'nope', fault: { type: 'reset' } }] }, 'rule.route must be'],
  [{ rules: [{ route: '*', fault: { type: 'nope' } }] }, 'fault.type must be one of latency'],
  [{ rules: [{ route: '*', fault: { type: 'latency' } }] }, 'fault.ms is required'],
  [{ rules: [{ route: '*', fault: { type: 'latency', ms: -1 } }] }, 'fault.ms must be a number from 0'],
  [{ rules: [{ route: '*', fault: { type: 'reset', wen: 'after' } }] }, 'fault has unknown fields: wen'],
  [{ rules: [{ route: '*', nht: 1, fault: { type: 'reset' } }] }, 'rule has unknown fields: nht'],
  [{ rules: [{ route: 'getJob', fault: { type: 'missingRows' } }] }, 'only happens on createJob'],
  [{ rules: [{ route: '*', nth: 0, fault: { type: 'reset' } }] }, 'rule.nth'],
  [
    { rules: [{ route: '*', fault: { type: 'status', status: 500, variant: 'capacity' } }] },
    'no variant of status 500',
  ],
])('a rule that is not understood gets a 400 that says why: %j', async (body, message) => {
  const response = await client.send('POST', '/_emulator/faults', body);
  expect(response.status).toBe(400);
  expect(text(wire(await response.json())['error'])).toContain(message);
  expect(await client.ok('GET', '/_emulator/faults')).toEqual({ rules: [] });
});
