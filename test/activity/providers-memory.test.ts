import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { clientOf, json, rawServer } from './providers-raw-server.js';

const MB = 1_000_000;
const BYTES = 200 * MB;
const CHUNK = Buffer.alloc(100_000, 'x');
const MOST_BUFFERS = 60 * MB;
// Resident memory wobbles with the collector; a file held in memory would be over twice this.
const MOST_RESIDENT = 90 * MB;

async function* content(length = BYTES): AsyncGenerator<Uint8Array> {
  for (let bytes = 0; bytes < length; bytes += CHUNK.length) yield CHUNK;
}

/**
 * Highest growth of resident memory and of buffers while `work` runs, server and client together. Measured
 * after a warm-up, because garbage that waits for its first collection is no growth.
 */
async function peakGrowth(
  work: (sample: () => void) => Promise<void>,
): Promise<{ rss: number; buffers: number }> {
  const before = process.memoryUsage();
  const peak = { rss: 0, buffers: 0 };
  await work(() => {
    const now = process.memoryUsage();
    peak.rss = Math.max(peak.rss, now.rss - before.rss);
    peak.buffers = Math.max(peak.buffers, now.arrayBuffers - before.arrayBuffers);
  });
  return peak;
}

/** Counts bytes, and samples memory now and then. */
function meter(sample: () => void) {
  let bytes = 0;
  let chunks = 0;
  return {
    add: (count: number) => {
      bytes += count;
      if (chunks++ % 64 === 0) sample();
    },
    bytes: () => bytes,
  };
}

it('uploads 200 MB in constant memory', async () => {
  let received = 0;
  const server = await rawServer(async (request, response) => {
    for await (const chunk of request.stream) received += (chunk as Uint8Array).byteLength;
    json(response, { id: 'f', filename: 'big.jsonl', num_lines: 1, bytes: BYTES });
  });
  const client = clientOf(server);
  await client.uploadFile({ name: 'warm-up', bytes: 50 * MB, open: () => content(50 * MB) }, {});
  received = 0;
  const peak = await peakGrowth(async (sample) => {
    const sent = meter(sample);
    let last = 0;
    const onProgress = (bytes: number) => {
      sent.add(bytes - last);
      last = bytes;
    };
    await client.uploadFile({ name: 'big.jsonl', bytes: BYTES, open: () => content() }, { onProgress });
    expect(sent.bytes()).toBe(BYTES);
  });
  expect(received).toBeGreaterThan(BYTES);
  expect(peak.buffers).toBeLessThan(MOST_BUFFERS);
  expect(peak.rss).toBeLessThan(MOST_RESIDENT);
});

it('downloads 200 MB in constant memory, at the pace of its reader', async () => {
  const server = await rawServer(async (_request, response) => {
    response.writeHead(200, { 'content-length': String(BYTES) });
    await pipeline(Readable.from(content(), { objectMode: false }), response);
  });
  const client = clientOf(server);
  const peak = await peakGrowth(async (sample) => {
    const read = meter(sample);
    const download = await client.downloadFile('f', {});
    for await (const chunk of download.content) {
      if (read.bytes() === 0) {
        // The rest must wait at the server, not pile up here.
        await new Promise((resolve) => setTimeout(resolve, 200));
        sample();
      }
      read.add(chunk.byteLength);
    }
    expect(read.bytes()).toBe(BYTES);
  });
  expect(peak.buffers).toBeLessThan(MOST_BUFFERS);
  expect(peak.rss).toBeLessThan(MOST_RESIDENT);
});
