import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/activity-env.js';
import { endedJob } from '../support/ended-job.js';

describe('the result files of a job', () => {
  it.each(['close', 'short'])('may have a download that is cut off (%s)', async (ending) => {
    const { bench, collect } = await endedJob([]);
    await bench.setFaults({
      route: 'fileContent',
      nth: 1,
      fault: { type: 'truncatedDownload', share: 0.5, ending },
    });
    expect(await failureOf(collect())).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect((await collect({}, 2)).sums.rows).toMatchObject({ succeeded: 10 });
  });

  it.each([
    ['in a line', { ending: 'short' }],
    ['behind a line', { ending: 'short', atLineEnd: true }],
    ['in a line, in order', { ending: 'chunked' }],
    ['behind a line, in order', { ending: 'chunked', atLineEnd: true }],
    ['before its first byte', { ending: 'chunked', share: 0 }],
  ])('may have downloads cut off %s where nobody says how long they are', async (_, cut) => {
    // Both files: the output file comes first, then the error file.
    for (const nth of [1, 2]) {
      const { bench, collect } = await endedJob([{ type: 'rowErrors', count: 4, status: 422 }]);
      await bench.setFaults(
        { route: 'fileContent', nth, fault: { type: 'truncatedDownload', ...cut } },
        { route: 'getFile', fault: { type: 'bytesNull' } },
      );
      expect((await collect()).sums.rows).toMatchObject({ succeeded: 6, failed: 4 });
      expect(await bench.requests('fileContent')).toHaveLength(4);
    }
  });

  it.each(['short', 'chunked', 'close'])('may have a download cut off behind a line (%s)', async (ending) => {
    const { bench, collect } = await endedJob([{ type: 'rowErrors', count: 4, status: 422 }]);
    const fault = { type: 'truncatedDownload', atLineEnd: true, ending };
    // Not even its counters are true.
    await bench.setFaults(
      { route: 'fileContent', nth: [1, 3], fault },
      { route: 'getJob', fault: { type: 'wrongCounters', succeeded_requests: 0, failed_requests: 0 } },
    );
    for (const _ of ['output', 'error']) {
      expect(await failureOf(collect())).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    }
    expect((await collect({}, 3)).sums.rows).toMatchObject({ succeeded: 6, failed: 4 });
  });

  it('may have downloads that somebody compresses, whole or cut: they are not taken', async () => {
    const { bench, collect } = await endedJob([]);
    await bench.setFaults(
      { route: 'fileContent', nth: [1, 2], fault: { type: 'gzipDownload' } },
      {
        route: 'fileContent',
        nth: 2,
        fault: { type: 'truncatedDownload', atLineEnd: true, ending: 'chunked' },
      },
    );
    for (const _ of ['whole', 'cut']) {
      expect(await failureOf(collect())).toMatchObject({ type: 'ProviderContract', nonRetryable: false });
    }
    expect((await collect({}, 3)).sums.rows).toMatchObject({ succeeded: 10 });
  });
});
