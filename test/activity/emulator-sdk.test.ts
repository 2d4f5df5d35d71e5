import { Mistral } from '@mistralai/mistralai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { startEmulator } from '../../emulator/index.js';
import type { Emulator } from '../../emulator/index.js';

/** The official SDK, unmodified, as the emulator's client: a second opinion on every shape it sends. */

let emulator: Emulator;
let mistral: Mistral;

beforeEach(async () => {
  emulator = await startEmulator({ jobSeconds: 0.2, cancelSeconds: 0.05 });
  mistral = new Mistral({ apiKey: 'sdk-key', serverURL: emulator.url });
});

afterEach(async () => {
  await emulator.close();
});

function rows(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    custom_id: `row-${index}`,
    body: { messages: [{ role: 'user', content: `Question ${index}?` }] },
  }));
}

function jsonl(count: number): string {
  return rows(count)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');
}

function upload(text: string, fileName = 'input.jsonl') {
  return mistral.files.upload({ purpose: 'batch', file: { fileName, content: Buffer.from(text) } });
}

async function untilStatus(jobId: string, status: string) {
  return expect
    .poll(async () => (await mistral.batch.jobs.get({ jobId })).status, { timeout: 5000, interval: 20 })
    .toBe(status);
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

describe.each(['files', 'inline requests'] as const)('a job on %s', (kind) => {
  /** Creates a job of so many rows; returns it and the ids of its input files. */
  async function create(count: number, metadata?: Record<string, string>) {
    const more = { endpoint: '/v1/chat/completions', model: 'mistral-small-latest' } as const;
    const request = metadata === undefined ? more : { ...more, metadata };
    if (kind === 'files') {
      const { id } = await upload(jsonl(count));
      return { job: await mistral.batch.jobs.create({ ...request, inputFiles: [id] }), inputFiles: [id] };
    }
    const requests = rows(count).map(({ custom_id: customId, body }) => ({ customId, body }));
    return { job: await mistral.batch.jobs.create({ ...request, requests }), inputFiles: [] };
  }

  test('is created, runs, and its answers are downloaded', async () => {
    const { job: created, inputFiles } = await create(10, { job_type: 'sdk' });
    expect(created).toMatchObject({
      status: 'QUEUED',
      totalRequests: 0,
      outputFile: null,
      inputFiles,
      metadata: { job_type: 'sdk' },
    });

    await untilStatus(created.id, 'SUCCESS');
    const job = await mistral.batch.jobs.get({ jobId: created.id });
    expect(job).toMatchObject({
      inputFiles,
      totalRequests: 10,
      completedRequests: 10,
      succeededRequests: 10,
      errorFile: null,
    });

    const text = await textOf(await mistral.files.download({ fileId: job.outputFile ?? '' }));
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toHaveLength(10);
    expect(lines[0]).toMatchObject({
      id: expect.stringMatching(/^batch-[0-9a-f]{8}-\d+-[0-9a-f-]{36}$/u),
      custom_id: expect.stringMatching(/^row-\d$/u),
      response: { status_code: 200, body: { object: 'chat.completion', model: 'mistral-small-latest' } },
      error: null,
    });
  });

  test('gives its answers by a signed URL too, and inline when asked', async () => {
    const { job: created } = await create(3);
    await untilStatus(created.id, 'SUCCESS');
    const job = await mistral.batch.jobs.get({ jobId: created.id, inline: true });
    const fileId = job.outputFile ?? '';
    const { url } = await mistral.files.getSignedUrl({ fileId, expiry: 1 });
    const signed = await (await fetch(url)).text();
    expect(signed).toBe(await textOf(await mistral.files.download({ fileId })));
    const outputs = signed
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(job.outputs).toEqual(outputs);
    expect((await mistral.batch.jobs.get({ jobId: created.id })).outputs).toBeNull();
  });

  test('is listed by metadata and status', async () => {
    const { job: wanted } = await create(1, { job_type: 'wanted' });
    await create(1, { job_type: 'other' });

    const byMetadata = await mistral.batch.jobs.list({ metadata: { job_type: 'wanted' } });
    expect(byMetadata.total).toBe(1);
    expect(byMetadata.data?.map((job) => job.id)).toEqual([wanted.id]);

    await untilStatus(wanted.id, 'SUCCESS');
    const both = await mistral.batch.jobs.list({
      status: ['SUCCESS', 'QUEUED'],
      metadata: { job_type: 'wanted' },
    });
    expect(both.total).toBe(1);
    expect((await mistral.batch.jobs.list({ status: ['CANCELLED'] })).total).toBe(0);
    expect((await mistral.batch.jobs.list()).total).toBe(2);
  });

  test('is cancelled and deleted', async () => {
    const { job } = await create(5);
    expect((await mistral.batch.jobs.cancel({ jobId: job.id })).status).toBe('CANCELLATION_REQUESTED');
    await untilStatus(job.id, 'CANCELLED');
    expect((await mistral.batch.jobs.cancel({ jobId: job.id })).status).toBe('CANCELLED');

    expect(await mistral.batch.jobs.delete({ jobId: job.id })).toMatchObject({ id: job.id, deleted: true });
    await expect(mistral.batch.jobs.get({ jobId: job.id })).rejects.toMatchObject({ statusCode: 404 });
  });
});

test('counts the lines of a file', async () => {
  expect(await upload(jsonl(10))).toMatchObject({
    sizeBytes: jsonl(10).length,
    numLines: 10,
    sampleType: 'batch_request',
    source: 'upload',
  });
});

test('answers inline requests to another endpoint, each with its own body', async () => {
  const created = await mistral.batch.jobs.create({
    endpoint: '/v1/embeddings',
    model: 'mistral-embed',
    requests: [
      { customId: 'a', body: { input: 'Hello' } },
      { customId: 'b', body: { input: ['One', 'two'] } },
    ],
  });
  await untilStatus(created.id, 'SUCCESS');
  const job = await mistral.batch.jobs.get({ jobId: created.id, inline: true });
  expect(job.inputFiles).toEqual([]);
  expect(job.outputs?.map((output) => output['custom_id']).toSorted()).toEqual(['a', 'b']);
  expect((await mistral.batch.jobs.get({ jobId: created.id })).outputs).toBeNull();
  const text = await textOf(await mistral.files.download({ fileId: job.outputFile ?? '' }));
  expect(text.trimEnd().split('\n')).toHaveLength(2);
});

test('lists, retrieves, signs and deletes files', async () => {
  const file = await upload(jsonl(3), 'tickets-one.jsonl');
  await upload(jsonl(2), 'other.jsonl');

  const found = await mistral.files.list({
    search: 'TICKETS',
    purpose: 'batch',
    sampleType: ['batch_request'],
  });
  expect(found.data.map((item) => item.id)).toEqual([file.id]);
  expect(found.total).toBe(1);
  expect(await mistral.files.retrieve({ fileId: file.id })).toMatchObject({ id: file.id, deleted: false });

  const { url } = await mistral.files.getSignedUrl({ fileId: file.id, expiry: 1 });
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(jsonl(3));
  expect((await fetch(url.replace(/.$/u, '_'))).status).toBe(403);

  expect(await mistral.files.delete({ fileId: file.id })).toMatchObject({ id: file.id, deleted: true });
  await expect(mistral.files.retrieve({ fileId: file.id })).rejects.toMatchObject({ statusCode: 404 });
});

test('answers a wrong key like the real API', async () => {
  const anonymous = new Mistral({ serverURL: emulator.url });
  await expect(anonymous.batch.jobs.list()).rejects.toMatchObject({
    statusCode: 401,
    body: '{"detail":"Unauthorized"}',
  });
  const stranger = new Mistral({ apiKey: 'another-key', serverURL: emulator.url });
  const file = await upload(jsonl(1));
  await expect(stranger.files.retrieve({ fileId: file.id })).rejects.toMatchObject({ statusCode: 404 });
});
