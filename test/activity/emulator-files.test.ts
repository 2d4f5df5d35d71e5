import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { chatRows, EmulatorClient, jsonl, text, wires } from './emulator-support.js';

let client: EmulatorClient;
let dataDir: string;
let now: number;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'emulator-files-'));
  now = Date.UTC(2026, 0, 1);
  client = await EmulatorClient.start({
    dataDir,
    maxFileBytes: 100_000,
    resultRetentionSeconds: 60,
    jobSeconds: 0,
    now: () => now,
  });
});

afterEach(async () => {
  await client.close();
  await rm(dataDir, { recursive: true });
});

async function scratchFiles(): Promise<readonly string[]> {
  const [scratch = ''] = await readdir(dataDir);
  return readdir(join(dataDir, scratch));
}

/** Begins an upload of `announced` bytes and sends only `sent` of them. */
function beginUpload(announced: number, sent: number) {
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="big.jsonl"\r\n\r\n';
  const upload = request(`${client.emulator.url}/v1/files`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer test-key',
      'content-type': 'multipart/form-data; boundary=x',
      'content-length': announced,
    },
  });
  upload.on('error', () => undefined);
  upload.write(head + 'x'.repeat(sent - head.length));
  return upload;
}

test('counts the rows of any line endings: blank lines are none, a last one may lack its end', async () => {
  const file = await client.upload('\uFEFF{"a":1}\r\n\r\n  \n{"b":2}\n\n{"c":3}');
  expect(file).toMatchObject({
    object: 'file',
    num_lines: 3,
    purpose: 'batch',
    sample_type: 'batch_request',
    source: 'upload',
    mimetype: 'application/jsonl',
    created_at: now / 1000,
    filename: 'input.jsonl',
    signature: null,
    expires_at: null,
  });
  expect(await client.download(file['id'])).toContain('{"c":3}');
});

test('keeps names beyond ASCII', async () => {
  expect(await client.upload('{}', { purpose: 'batch' }, 'überprüfung-票.jsonl')).toMatchObject({
    filename: 'überprüfung-票.jsonl',
  });
});

test('serves content as octets with its length', async () => {
  const file = await client.upload(jsonl(chatRows(2)));
  const response = await client.fetch(`/v1/files/${text(file['id'])}/content`);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-length')).toBe(String(jsonl(chatRows(2)).length));
});

test('takes a file of the limit and refuses a longer one, leaving nothing', async () => {
  expect(await client.upload('x'.repeat(100_000))).toMatchObject({ bytes: 100_000, num_lines: 1 });
  const refused = await client.sendFile('x'.repeat(100_001));
  expect(refused.status).toBe(413);
  expect(await client.ok('GET', '/v1/files')).toMatchObject({ total: 1 });
  expect(await scratchFiles()).toHaveLength(1);
});

test.each([
  ['an unknown purpose', { purpose: 'nonsense' }],
  ['an unknown visibility', { purpose: 'batch', visibility: 'all' }],
  ['an expiry that is no number of hours', { purpose: 'batch', expiry: 'soon' }],
])('refuses %s with a 422, leaving nothing', async (_name, fields) => {
  const response = await client.sendFile('{}', fields);
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({
    detail: [{ loc: ['body', expect.any(String)], msg: expect.any(String) }],
  });
  expect(await scratchFiles()).toEqual([]);
});

test('refuses a form without a file', async () => {
  const form = new FormData();
  form.set('purpose', 'batch');
  expect((await client.fetch('/v1/files', { method: 'POST', body: form })).status).toBe(422);
  expect((await client.send('POST', '/v1/files', { purpose: 'batch' })).status).toBe(422);
});

test('a client that dies in mid-upload leaves no file, and others are served on', async () => {
  const upload = beginUpload(50_000, 20_000);
  await client.ok('GET', '/_emulator/journal?wait=uploadFile&timeout=5000');
  await expect.poll(scratchFiles).toHaveLength(1);
  upload.destroy();
  await expect.poll(scratchFiles).toEqual([]);
  expect(await client.journal()).toMatchObject([
    { route: 'uploadFile', status: null, effect: null, aborted: true },
  ]);
  expect(await client.ok('GET', '/v1/files')).toMatchObject({ total: 0 });
  expect(await client.upload('{}')).toMatchObject({ num_lines: 1 });
});

test('a client that dies in mid-download is marked, and others are served on', async () => {
  const file = await client.upload('x'.repeat(90_000));
  await client.setFaults({
    route: 'fileContent',
    nth: 1,
    fault: { type: 'slowDownload', bytesPerSecond: 20_000 },
  });
  const abort = new AbortController();
  const response = await client.fetch(`/v1/files/${text(file['id'])}/content`, { signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  await expect
    .poll(() => client.journal('?route=fileContent'))
    .toMatchObject([{ status: 200, aborted: true }]);
  expect(await client.download(file['id'])).toHaveLength(90_000);
});

test('lists by page, search, purpose, source, sample type and MIME type, newest first', async () => {
  const first = await client.upload('{}', { purpose: 'batch' }, 'alpha-1.jsonl');
  const second = await client.upload('{}', { purpose: 'fine-tune' }, 'alpha-2.jsonl');
  const third = await client.upload('{}', { purpose: 'ocr' }, 'beta.pdf');
  const list = async (query: string) => {
    const listed = await client.ok('GET', `/v1/files?${query}`);
    return { ids: wires(listed['data']).map((file) => file['id']), total: listed['total'] };
  };
  expect(await list('')).toEqual({ ids: [third['id'], second['id'], first['id']], total: 3 });
  expect(await list('page=1&page_size=2')).toEqual({ ids: [first['id']], total: 3 });
  expect(await list('search=ALPHA')).toEqual({ ids: [second['id'], first['id']], total: 2 });
  expect(await list('purpose=ocr')).toEqual({ ids: [third['id']], total: 1 });
  expect(await list('sample_type=batch_request&sample_type=instruct')).toMatchObject({ total: 2 });
  expect(await list('mimetypes=application/jsonl')).toMatchObject({ total: 2 });
  expect(await list('source=mistral')).toEqual({ ids: [], total: 0 });
  expect(await list('source=upload&include_total=false')).toMatchObject({ total: undefined });
  expect((await client.send('GET', '/v1/files?purpose=nonsense')).status).toBe(422);
});

test('result files are shown as the service made them, and are gone after the retention time', async () => {
  const { job } = await client.run(chatRows(2));
  const id = text(job['output_file']);
  expect(await client.ok('GET', `/v1/files/${id}`)).toMatchObject({
    purpose: 'batch',
    sample_type: 'batch_result',
    source: 'mistral',
    deleted: false,
  });
  now += 60_000;
  expect((await client.send('GET', `/v1/files/${id}/content`)).status).toBe(404);
  expect((await client.send('GET', `/v1/files/${id}`)).status).toBe(404);
  expect(await client.job(text(job['id']))).toMatchObject({ status: 'SUCCESS', output_file: id });
});

test('an upload with an expiry is gone after that many hours', async () => {
  const file = await client.upload('{}', { purpose: 'batch', expiry: '2' });
  expect(file['expires_at']).toBe(now / 1000 + 7200);
  now += 2 * 3_600_000;
  expect((await client.send('GET', `/v1/files/${text(file['id'])}`)).status).toBe(404);
});

test('what has expired is gone from the disk too, by the next request', async () => {
  await client.upload('{}', { purpose: 'batch', expiry: '2' });
  const { job } = await client.run(jsonl(chatRows(2)));
  expect(await scratchFiles()).toHaveLength(3);
  now += 60_000;
  await client.job(text(job['id']));
  expect(await scratchFiles()).toHaveLength(2);
  now += 7_200_000;
  expect(await client.ok('GET', '/v1/files')).toMatchObject({ total: 1 });
  expect(await scratchFiles()).toHaveLength(1);
});

test('a signed link needs no key, cannot be altered and expires', async () => {
  const file = await client.upload('hello');
  const id = text(file['id']);
  const url = text((await client.ok('GET', `/v1/files/${id}/url?expiry=1`))['url']);
  expect(await (await fetch(url)).text()).toBe('hello');
  expect((await fetch(url.replace(/expires=\d/u, 'expires=9'))).status).toBe(403);
  now += 3_600_000;
  expect((await fetch(url)).status).toBe(403);
  for (const expiry of ['0', '169', 'x']) {
    expect((await client.send('GET', `/v1/files/${id}/url?expiry=${expiry}`)).status).toBe(422);
  }
});

test('files of another key do not exist', async () => {
  const id = text((await client.upload('{}'))['id']);
  const stranger = client.as('stranger');
  for (const [method, path] of [
    ['GET', `/v1/files/${id}`],
    ['GET', `/v1/files/${id}/content`],
    ['GET', `/v1/files/${id}/url`],
    ['DELETE', `/v1/files/${id}`],
  ] as const) {
    expect((await stranger.send(method, path)).status).toBe(404);
  }
  expect(await stranger.ok('GET', '/v1/files')).toMatchObject({ total: 0 });
});

test('the next start removes the folders of killed emulators, and those alone', async () => {
  const [live = ''] = await readdir(dataDir);
  const [, , place = '', pid, random = ''] = live.split('-');
  expect(pid).toBe(String(process.pid));
  const nameOf = (where: string, end: string) => `longhaul-emulator-${where}-${spawnSync('true').pid}-${end}`;
  const dead = nameOf(place, random);
  const linked = nameOf(place, 'linked');
  const others = [nameOf('0123456789ab', random), nameOf(place, `${random}x`), 'longhaul-emulator-abcdef'];
  for (const name of [dead, ...others]) await mkdir(join(dataDir, name));
  await writeFile(join(dataDir, dead, 'upload-1'), '{}');
  await symlink(dataDir, join(dataDir, linked));

  const next = await EmulatorClient.start({ dataDir });
  await next.close();
  expect((await readdir(dataDir)).toSorted()).toEqual([live, linked, ...others].toSorted());
});

test('close removes everything from disk', async () => {
  await client.run(chatRows(2));
  await client.close();
  expect(await readdir(dataDir)).toEqual([]);
});

test('fileListLag: a new file is missing from the first lists, or for a time, but can be got and used', async () => {
  await client.setFaults(
    { route: 'uploadFile', nth: 1, fault: { type: 'fileListLag', calls: 2 } },
    { route: 'uploadFile', nth: 2, fault: { type: 'fileListLag', ms: 3_600_000 } },
  );
  const first = await client.upload(jsonl(chatRows(1)));
  const listed = async () => wires((await client.ok('GET', '/v1/files'))['data']).map((file) => file['id']);
  expect([await listed(), await listed(), await listed()]).toEqual([[], [], [first['id']]]);

  const second = await client.upload(jsonl(chatRows(1)));
  expect(await client.ok('GET', `/v1/files/${text(second['id'])}`)).toMatchObject({ id: second['id'] });
  const job = await client.ended(text((await client.create({ input_files: [second['id']] }))['id']));
  expect(job).toMatchObject({ status: 'SUCCESS', succeeded_requests: 1 });
  expect(await listed()).toEqual([job['output_file'], first['id']]);
});
