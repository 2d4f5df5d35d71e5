import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptOf, Bench, failureOf, runActivity } from '../support/activity-env.js';
import { createInput, rows, wire } from '../support/activity-inputs.js';

async function begun() {
  const bench = await Bench.start();
  await bench.prepare(rows(3));
  const { key, path, bytes, sha256, rows: count } = await bench.begin();
  const input = { key, path, bytes, sha256, rows: count };
  return {
    bench,
    input,
    name: `longhaul-${key}.jsonl`,
    upload: (attempt = 1) => bench.run('upload', input, { attempt }),
    rewrite: (content: string) => writeFile(join(bench.dir, 'store', path), content),
    files: async () => {
      const found = await bench.provider.findFiles(`longhaul-${key}.jsonl`, {});
      return found.map(({ id, bytes: size }) => [id, size] as const);
    },
    /** Uploads other content under the round's name. */
    foreign: async (content: string) => {
      const data = Buffer.from(content);
      const open = async function* () {
        yield data;
      };
      return bench.provider.uploadFile({ name: `longhaul-${key}.jsonl`, bytes: data.length, open }, {});
    },
  };
}

describe('an upload', () => {
  it('puts the exact bytes under a name made from the key, once', async () => {
    const { bench, upload, files, input } = await begun();
    const { fileId } = await upload();
    expect(await upload(2)).toEqual({ fileId });
    expect(await files()).toEqual([[fileId, input.bytes]]);
    expect(await bench.requests('uploadFile')).toHaveLength(1);
    const { content } = await bench.provider.downloadFile(fileId, {});
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(rows(3));
  });

  it.each([
    ['fewer bytes', rows(2)],
    ['fewer lines', rows(3).replace('\n', ' ')],
  ])('replaces a file of its name with %s', async (_, content) => {
    const { foreign, upload, files, input } = await begun();
    const wrong = await foreign(content);
    const { fileId } = await upload();
    expect(fileId).not.toBe(wrong.id);
    expect(await files()).toEqual([[fileId, input.bytes]]);
  });

  it('is looked for before it is sent again when its answer was lost', async () => {
    const { bench, upload, files } = await begun();
    await bench.setFaults({
      route: 'uploadFile',
      nth: 1,
      fault: { type: 'status', status: 502, when: 'after' },
    });
    const failure = await failureOf(upload());
    expect(failure).toMatchObject({ type: 'ProviderAmbiguous', nonRetryable: false, nextRetryDelay: 5000 });
    const { fileId } = await upload(2);
    expect((await files()).map(([id]) => id)).toEqual([fileId]);
    expect(await bench.requests('uploadFile')).toHaveLength(1);
  });

  it('is found when the list shows it within the five seconds that an attempt waits', async () => {
    const { bench, upload, files } = await begun();
    const lost = { type: 'status', status: 502, when: 'after' };
    await bench.setFaults(
      { route: 'uploadFile', fault: lost },
      { route: 'uploadFile', fault: { type: 'fileListLag', ms: 4_000 } },
    );
    const { nextRetryDelay } = await failureOf(upload());
    expect(await files()).toEqual([]);
    bench.clock.advance(Number(nextRetryDelay));
    const { fileId } = await upload(2);
    expect((await files()).map(([id]) => id)).toEqual([fileId]);
    expect(await bench.requests('uploadFile')).toHaveLength(1);
  });

  it('is sent again when the list shows it later, and its job names one of the two', async () => {
    const { bench, upload, files, input } = await begun();
    const lost = { type: 'status', status: 502, when: 'after' };
    await bench.setFaults(
      { route: 'uploadFile', nth: 1, fault: lost },
      { route: 'uploadFile', nth: 1, fault: { type: 'fileListLag', calls: 2 } },
    );
    await failureOf(upload());
    const { fileId } = await upload(2);
    expect((await files()).map(([id]) => id)).toEqual([fileId]);
    expect(await files()).toHaveLength(2);
    // Whichever a later attempt finds has the same bytes.
    const { fileId: again } = await upload(3);
    expect((await files()).map(([id]) => id)).toContain(again);
    await bench.run('createJob', createInput({ key: input.key, fileId }));
    expect(await bench.jobs()).toMatchObject([{ input_files: [fileId] }]);
    expect(await bench.requests('uploadFile')).toHaveLength(2);
    expect(await bench.requests('deleteFile')).toEqual([]);
  });

  it('trusts a provider that does not say how large the file is', async () => {
    const { bench, upload, files } = await begun();
    await bench.setFaults({ route: ['uploadFile', 'listFiles'], fault: { type: 'bytesNull' } });
    const { fileId } = await upload();
    expect(await upload(2)).toEqual({ fileId });
    expect((await files()).map(([id]) => id)).toEqual([fileId]);
  });

  it('takes back a file that the provider counts otherwise', async () => {
    const { bench, input, files } = await begun();
    const provider = {
      ...bench.provider,
      uploadFile: async (...args: Parameters<typeof bench.provider.uploadFile>) => ({
        ...(await bench.provider.uploadFile(...args)),
        lines: 2,
      }),
    };
    const failure = await failureOf(runActivity(bench.with({ provider: () => provider }), 'upload', input));
    expect(failure).toMatchObject({ type: 'IntegrityMismatch', nonRetryable: false });
    expect(failure.message).toContain('2 lines');
    expect(await files()).toEqual([]);
  });

  it.each([
    ['content', (text: string) => text.replaceAll('r0', 'x0')],
    ['fewer bytes', (text: string) => text.slice(0, -30)],
    ['more bytes', (text: string) => `${text}{}\n`],
  ])('takes back or never sends a file that was changed on the disk: %s', async (_, change) => {
    const { upload, files, rewrite } = await begun();
    await rewrite(change(rows(3)));
    expect(await failureOf(upload())).toMatchObject({ type: 'IntegrityMismatch', nonRetryable: false });
    expect(await failureOf(upload(5))).toMatchObject({ type: 'IntegrityMismatch', nonRetryable: true });
    expect(await files()).toEqual([]);
  });

  it('fails as the store when the file is gone', async () => {
    const { bench, upload, input, files } = await begun();
    await bench.store.remove(input.path);
    expect(await failureOf(upload())).toMatchObject({ type: 'StorageMismatch' });
    expect(await files()).toEqual([]);
  });

  it('stops when it is cancelled and leaves no file', async () => {
    const { bench, input, files } = await begun();
    const attempt = attemptOf();
    const provider = {
      ...bench.provider,
      uploadFile: (...[upload, options]: Parameters<typeof bench.provider.uploadFile>) => {
        const open = async function* () {
          for await (const chunk of upload.open()) {
            yield chunk.subarray(0, 10);
            attempt.cancel();
            yield chunk.subarray(10);
          }
        };
        return bench.provider.uploadFile({ ...upload, open }, options);
      },
    };
    const deps = bench.with({ provider: () => provider });
    const error = await runActivity(deps, 'upload', input, attempt).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'CancelledFailure' });
    expect(await files()).toEqual([]);
  });

  it('says in its heartbeats how far it is', async () => {
    const { bench, input } = await begun();
    const attempt = attemptOf();
    const beats: unknown[] = [];
    attempt.on('heartbeat', (details: unknown) => beats.push(details));
    await runActivity(bench.deps, 'upload', input, attempt);
    expect(beats[0]).toMatchObject({ progress: 'looking for the file' });
    expect(JSON.stringify(beats)).not.toContain(wire(JSON.parse(rows(1)))['custom_id']);
  });
});
