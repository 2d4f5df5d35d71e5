import { expect, onTestFinished, test } from 'vitest';
import { isTerminal } from '../../batch/job-phase.js';
import { createProvider } from '../../providers/registry.js';
import { EmulatorClient } from './emulator-support.js';

const MB = 1_000_000;
const ROW_BYTES = 20_000;
const ROWS = 10_000;
// Of 200 MB that come in and 100 MB that go out, no more than this may be in memory at a time.
const MOST_BUFFERS = 60 * MB;
// Resident memory wobbles with the collector; a file held in memory would be over twice this.
const MOST_RESIDENT = 90 * MB;

/** One row of exactly `ROW_BYTES`, its line end included. */
function row(index: number): string {
  const start = `{"custom_id":"row-${index}","body":{"input":"`;
  return `${start}${'x'.repeat(ROW_BYTES - start.length - 4)}"}}\n`;
}

async function* content(rows: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < rows; index += 1) yield Buffer.from(row(index));
}

/** The highest that resident memory and buffers rise above where they were, in this process: emulator and client. */
function peakGrowth() {
  const before = process.memoryUsage();
  const peak = { rss: 0, buffers: 0 };
  const sample = () => {
    const now = process.memoryUsage();
    peak.rss = Math.max(peak.rss, now.rss - before.rss);
    peak.buffers = Math.max(peak.buffers, now.arrayBuffers - before.arrayBuffers);
  };
  return { peak, sample };
}

test('takes 200 MB in, runs a job on them and gives their answers out in constant memory', async () => {
  const { emulator } = await EmulatorClient.start({ jobSeconds: 0 });
  onTestFinished(() => emulator.close());
  const provider = createProvider('mistral', {
    mistral: { apiKey: 'k', baseUrl: emulator.url },
    requestsPerSecond: null,
  });
  onTestFinished(() => provider.close());

  const run = async (rows: number, sample: () => void) => {
    const bytes = rows * ROW_BYTES;
    const file = await provider.uploadFile(
      { name: 'big.jsonl', bytes, open: () => content(rows) },
      { onProgress: sample },
    );
    expect(file).toMatchObject({ bytes, lines: rows });
    let job = await provider.createJob(
      { fileId: file.id, endpoint: '/v1/embeddings', model: 'mistral-embed', timeoutHours: 24, metadata: {} },
      {},
    );
    while (!isTerminal(job.phase)) {
      job = await provider.getJob(job.id, {});
      sample();
    }
    expect(job.counts.succeeded).toBe(rows);
    const download = await provider.downloadFile(String(job.outputFile), {});
    let received = 0;
    for await (const chunk of download.content) {
      received += chunk.byteLength;
      sample();
    }
    return received;
  };

  // Garbage that waits for its first collection is no growth.
  await run(ROWS / 10, () => undefined);
  const { peak, sample } = peakGrowth();
  const received = await run(ROWS, sample);
  expect(received).toBeGreaterThan(ROWS * 10_000);
  expect(peak.buffers).toBeLessThan(MOST_BUFFERS);
  expect(peak.rss).toBeLessThan(MOST_RESIDENT);
}, 120_000);
