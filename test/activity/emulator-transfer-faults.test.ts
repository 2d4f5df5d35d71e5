import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { EmulatorClient, text } from './emulator-support.js';

/** Faults of a file's bytes on their way. */

let client: EmulatorClient;

beforeEach(async () => {
  client = await EmulatorClient.start();
});

afterEach(async () => {
  await client.close();
});

test('truncatedDownload closes a download early, or announces fewer bytes', async () => {
  const file = await client.upload('x'.repeat(200_000));
  await client.setFaults(
    { route: 'fileContent', nth: 1, fault: { type: 'truncatedDownload' } },
    { route: 'fileContent', nth: 2, fault: { type: 'truncatedDownload', share: 0.25, ending: 'short' } },
    { route: 'fileContent', nth: 3, fault: { type: 'truncatedDownload', share: 0 } },
  );
  const path = `/v1/files/${text(file['id'])}/content`;
  const closed = await client.fetch(path);
  expect(closed.headers.get('content-length')).toBe('200000');
  let received = 0;
  await expect(async () => {
    for await (const chunk of closed.body ?? []) received += chunk.length;
  }).rejects.toThrow('terminated');
  expect(received).toBe(100_000);

  const short = await client.fetch(path);
  expect([short.headers.get('content-length'), (await short.text()).length]).toEqual(['50000', 50_000]);
  await expect((await client.fetch(path)).text()).rejects.toThrow('terminated');
  expect(await client.download(file['id'])).toHaveLength(200_000);
  expect((await client.journal('?route=fileContent')).map((entry) => entry['aborted'])).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('truncatedDownload can cut behind a line, and end in order without a length', async () => {
  const file = await client.upload('first\nsecond\nthird\n');
  const path = `/v1/files/${text(file['id'])}/content`;
  await client.setFaults(
    { route: 'fileContent', nth: 1, fault: { type: 'truncatedDownload', atLineEnd: true, ending: 'short' } },
    { route: 'fileContent', nth: 2, fault: { type: 'truncatedDownload', ending: 'chunked' } },
    {
      route: 'fileContent',
      nth: 3,
      fault: { type: 'truncatedDownload', share: 0.1, atLineEnd: true, ending: 'chunked' },
    },
  );
  const short = await client.fetch(path);
  expect([short.headers.get('content-length'), await short.text()]).toEqual(['6', 'first\n']);
  const chunked = await client.fetch(path);
  expect([chunked.headers.get('content-length'), await chunked.text()]).toEqual([null, 'first\nsec']);
  expect(await (await client.fetch(path)).text()).toBe('');
});

test('gzipDownload compresses and says no length', async () => {
  const content = Array.from({ length: 5000 }, (_, n) => `${n * 7919}\n`).join('');
  const file = await client.upload(content);
  await client.setFaults({ route: 'fileContent', fault: { type: 'gzipDownload' } });
  const whole = await client.fetch(`/v1/files/${text(file['id'])}/content`);
  expect(whole.headers.get('content-encoding')).toBe('gzip');
  expect(whole.headers.get('content-length')).toBeNull();
  expect(await whole.text()).toBe(content);
});

test('slowDownload and slowUpload take their time', async () => {
  await client.setFaults(
    { route: 'uploadFile', fault: { type: 'slowUpload', bytesPerSecond: 100_000 } },
    { route: 'fileContent', fault: { type: 'slowDownload', bytesPerSecond: 100_000 } },
  );
  const start = performance.now();
  const file = await client.upload('x'.repeat(20_000));
  const uploaded = performance.now();
  expect(await client.download(file['id'])).toHaveLength(20_000);
  expect(uploaded - start).toBeGreaterThan(120);
  expect(performance.now() - uploaded).toBeGreaterThan(120);
});

test('a download whose bytes are gone from the disk fails, and ends nothing else', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'longhaul-emulator-test-'));
  const emptied = await EmulatorClient.start({ dataDir });
  try {
    const path = `/v1/files/${text((await emptied.upload('first\n'))['id'])}/content`;
    for (const folder of await readdir(dataDir)) {
      for (const name of await readdir(join(dataDir, folder))) await rm(join(dataDir, folder, name));
    }
    await emptied.setFaults({ route: 'fileContent', fault: { type: 'hold', when: 'after' } });
    const download = emptied.fetch(path);
    // The journal tells of the download before the file is opened, and so before the request is held.
    await expect.poll(() => emptied.ok('POST', '/_emulator/release', {})).toEqual({ released: 1 });
    expect((await download).status).toBe(500);
    expect((await emptied.journal('?route=fileContent')).length).toBe(1);
  } finally {
    await emptied.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
