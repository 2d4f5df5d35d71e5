import { describe, expect, it, onTestFinished } from 'vitest';
import { startEmulator, type EmulatorOptions } from '../../emulator/index.js';
import { createMistralProvider } from '../../providers/mistral/provider.js';
import type { BatchProvider, OutputLine, RemoteJob } from '../../providers/provider.js';
import { collect, CREATE, failureOf } from './providers-raw-server.js';

/** The client against an API that was written from the same reference but by other hands. */
async function start(options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ jobSeconds: 0.05, cancelSeconds: 0.02, ...options });
  const client = createMistralProvider({ apiKey: 'test-key', baseUrl: emulator.url });
  onTestFinished(async () => {
    await client.close();
    await emulator.close();
  });
  return { client, setFault: (rule: object) => setFault(emulator.url, rule) };
}

async function setFault(url: string, rule: object): Promise<void> {
  const answer = await fetch(`${url}/_emulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules: [rule] }),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

function rows(count: number): string {
  const row = (n: number) => ({
    custom_id: `row-${n}`,
    body: { messages: [{ role: 'user', content: `Question ${n}?` }] },
  });
  return Array.from({ length: count }, (_, n) => `${JSON.stringify(row(n))}\n`).join('');
}

async function upload(client: BatchProvider, content: string, name = 'shard.jsonl') {
  const bytes = Buffer.from(content);
  const open = async function* () {
    yield bytes;
  };
  return client.uploadFile({ name, bytes: bytes.length, open }, {});
}

async function ended(client: BatchProvider, id: string): Promise<RemoteJob> {
  let job = await client.getJob(id, {});
  const look = async () => {
    job = await client.getJob(id, {});
    return job.phase;
  };
  const end = /^(?:succeeded|failed|expired|cancelled)$/;
  await expect.poll(look, { timeout: 5_000, interval: 20 }).toMatch(end);
  return job;
}

async function linesOf(client: BatchProvider, fileId: string): Promise<readonly OutputLine[]> {
  const download = await client.downloadFile(fileId, {});
  const whole = Buffer.concat(await collect(download.content));
  expect(whole.length).toBe(download.contentLength);
  const lines = whole
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => client.readOutputLine(Buffer.from(line)));
}

describe("Mistral's client against the emulator", () => {
  it('takes a file from upload to answers by all of its routes', async () => {
    const { client } = await start();
    await client.checkAccount({});
    const content = rows(25);
    const file = await upload(client, content);
    expect(file).toMatchObject({ name: 'shard.jsonl', bytes: Buffer.byteLength(content), lines: 25 });
    expect(await client.findFiles('shard.jsonl', {})).toEqual([file]);
    expect(await client.findFiles('shard', {})).toEqual([]);
    expect(await client.getFile(file.id, {})).toEqual(file);

    const created = await client.createJob({ ...CREATE, fileId: file.id }, {});
    expect(created).toMatchObject({ phase: 'pending', inputFiles: [file.id], metadata: CREATE.metadata });
    const listed = await collect(client.listJobs({ metadata: CREATE.metadata }, {}));
    expect(listed.map((job) => job.id)).toEqual([created.id]);
    expect(await collect(client.listJobs({ metadata: { longhaul_key: 'other' } }, {}))).toEqual([]);

    const job = await ended(client, created.id);
    expect(job).toMatchObject({
      phase: 'succeeded',
      status: 'SUCCESS',
      counts: { total: 25, completed: 25, succeeded: 25, failed: 0 },
      errorFile: null,
    });
    const lines = await linesOf(client, job.outputFile ?? '');
    const ids = lines.map((line) => (line.kind === 'row' ? line.customId : line.reason));
    expect(ids.toSorted()).toEqual(Array.from({ length: 25 }, (_, n) => `row-${n}`).toSorted());
    for (const line of lines) {
      expect(line).toMatchObject({ kind: 'row', response: { statusCode: 200 }, error: null });
      if (line.kind === 'row') expect(line.usage).toHaveProperty('total_tokens', expect.any(Number));
    }

    const url = await client.fileUrl(job.outputFile ?? '', 1, {});
    expect((await fetch(url)).status).toBe(200);
    // Cancelling what has ended changes nothing.
    expect(await client.cancelJob(job.id, {})).toMatchObject({ phase: 'succeeded' });
    await client.deleteJob(job.id, {});
    await client.deleteFile(file.id, {});
    await client.deleteFile(file.id, {});
    await expect(client.getJob(job.id, {})).rejects.toMatchObject({ type: 'ProviderNotFound' });
  });

  it('cancels a running job', async () => {
    const { client } = await start({ jobSeconds: 60 });
    const file = await upload(client, rows(2));
    const { id } = await client.createJob({ ...CREATE, fileId: file.id }, {});
    expect(['cancelling', 'cancelled']).toContain((await client.cancelJob(id, {})).phase);
    expect(await ended(client, id)).toMatchObject({ phase: 'cancelled' });
  });

  it('reads failed rows in each of their forms', async () => {
    const { client, setFault: fault } = await start();
    for (const [n, form] of ['response', 'object', 'string'].entries()) {
      await fault({
        route: 'createJob',
        fault: { type: 'rowErrors', customIds: [`row-${n}`], status: 422, form },
      });
    }
    const file = await upload(client, rows(4));
    const { id } = await client.createJob({ ...CREATE, fileId: file.id }, {});
    const job = await ended(client, id);
    const lines = await linesOf(client, job.errorFile ?? '');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      if (line.kind !== 'row') throw new Error(line.reason);
      if (line.customId === 'row-0') expect(line.response).toMatchObject({ statusCode: 422 });
      else expect(line.error?.message).toEqual(expect.any(String));
    }
  });

  it('calls a create that was committed but not answered ambiguous, and finds its job', async () => {
    const { client, setFault: fault } = await start();
    const file = await upload(client, rows(1));
    for (const one of [
      { type: 'status', when: 'after', status: 502 },
      { type: 'reset', when: 'after' },
    ]) {
      await fault({ route: 'createJob', count: 1, fault: one });
      const key = { longhaul_key: `lost-by-${one.type}` };
      const error = await failureOf(client.createJob({ ...CREATE, fileId: file.id, metadata: key }, {}));
      expect(error).toMatchObject({ type: 'ProviderAmbiguous', effect: 'unknown' });
      expect(await collect(client.listJobs({ metadata: key }, {}))).toHaveLength(1);
    }
  });

  it('tells rate, quota and plan apart', async () => {
    const variants = [
      ['rate_limited', 'ProviderRateLimited'],
      ['capacity', 'ProviderRateLimited'],
      ['legacy', 'ProviderRateLimited'],
      ['pending', 'ProviderQuota'],
      ['not_in_plan', 'ProviderQuota'],
    ];
    for (const [variant, type] of variants) {
      const { client, setFault: fault } = await start();
      await fault({ route: 'createJob', fault: { type: 'status', status: 429, variant, retryAfter: 2 } });
      const error = await failureOf(client.createJob(CREATE, {}));
      expect(error, variant).toMatchObject({ type, effect: 'refused', retryAfterMs: 2_000 });
    }
    const full = await start({ maxPendingRequests: 1 });
    const file = await upload(full.client, rows(2));
    const error = await failureOf(full.client.createJob({ ...CREATE, fileId: file.id }, {}));
    expect(error).toMatchObject({ type: 'ProviderQuota', effect: 'refused' });
  });

  it('reads on in spite of odd answers', async () => {
    const { client, setFault: fault } = await start({ jobSeconds: 60 });
    await fault({ route: 'uploadFile', fault: { type: 'bytesNull' } });
    await fault({ route: 'getJob', fault: { type: 'unknownStatus', status: 'PAUSED' } });
    await fault({ route: 'listJobs', fault: { type: 'poisonedItem', mode: 'insert' } });
    const file = await upload(client, rows(1));
    expect(file.bytes).toBeNull();
    const { id } = await client.createJob({ ...CREATE, fileId: file.id }, {});
    expect(await client.getJob(id, {})).toMatchObject({ phase: 'unknown', status: 'PAUSED' });
    const found = await collect(client.listJobs({ metadata: CREATE.metadata }, {}));
    expect(found.map((job) => job.id)).toEqual([id]);
    const none = await failureOf(collect(client.listJobs({ metadata: { longhaul_key: 'none' } }, {})));
    expect(none).toMatchObject({ type: 'ProviderContract' });
  });

  it('notices a download that is cut', async () => {
    const { client, setFault: fault } = await start();
    const file = await upload(client, rows(50));
    await fault({ route: 'fileContent', fault: { type: 'truncatedDownload', ending: 'close' } });
    const download = await client.downloadFile(file.id, {});
    const error = await failureOf(collect(download.content));
    expect(['IntegrityMismatch', 'ProviderUnavailable']).toContain(Reflect.get(error, 'type'));
  });

  it('refuses a wrong key', async () => {
    const { client, setFault: fault } = await start();
    await fault({ route: 'listJobs', fault: { type: 'status', status: 401 } });
    await expect(client.checkAccount({})).rejects.toMatchObject({ type: 'ProviderAuth' });
  });

  it('runs a job for each endpoint that it claims', async () => {
    const { client } = await start();
    const file = await upload(client, rows(1));
    for (const endpoint of client.capabilities.endpoints) {
      const job = await client.createJob({ ...CREATE, endpoint, fileId: file.id }, {});
      expect(job.endpoint).toBe(endpoint);
    }
  });
});
