import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ProviderError } from '../../providers/errors.js';
import { segment } from '../../providers/mistral/api.js';
import { failureOfAnswer } from '../../providers/mistral/errors.js';
import { searchUnreadable } from '../../providers/mistral/job-filter.js';
import { readOutputLine } from '../../providers/mistral/output-line.js';
import { walkPages } from '../../providers/mistral/page-walk.js';
import { toRemoteFile, toRemoteJob } from '../../providers/mistral/remote.js';
import { parseRetryAfter } from '../../providers/retry-after.js';
import { batchJobSchema } from '../../schemas/mistral/batch-job.js';
import { readErrorBody } from '../../schemas/mistral/error-body.js';
import { deletedSchema, fileSchema, signedUrlSchema } from '../../schemas/mistral/file.js';
import { readBatchJobPage, readFilePage } from '../../schemas/mistral/list-page.js';
import { corpus } from '../support/corpus.js';

/* Whatever a provider, or what stands between it and us, may answer: a typed error, or nothing worse than that. */

const JOB = {
  id: '8a3f',
  object: 'batch',
  status: 'RUNNING',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
  input_files: ['f1'],
  created_at: 1_732_400_351,
  total_requests: 2,
  completed_requests: 0,
  succeeded_requests: 0,
  failed_requests: 0,
  errors: [],
  output_file: null,
  error_file: null,
  metadata: { longhaul_key: 'k' },
};
const FIELDS = Object.keys(JOB)
  .concat('data', 'total', 'detail', 'message', 'type', 'code', 'error', 'custom_id', 'response', 'body')
  .concat('status_code', 'usage', 'bytes', 'num_lines', 'filename', 'deleted', 'url')
  .concat('__proto__', 'constructor');

/** JSON of any kind, with the names that readers look for. */
const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.constantFrom(null, true, 0, -1, 1.5, 1e21, '', 'x', '200', 200, '\ud800', 'QUEUED', 'a\u2028b'),
    fc.string(),
    fc.double({ noNaN: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('value'), { maxKeys: 8 }),
  ),
})).value;

/** A sound job of which some fields are something else. */
const almostJob = fc.dictionary(fc.constantFrom(...Object.keys(JOB)), json, { maxKeys: 4 }).map((wrong) => ({
  ...JOB,
  ...wrong,
}));

const text = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  almostJob.map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }),
);

const CORPUS = corpus('wire', z.string());

function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** Nested so deeply that the parser takes it and a writer, which recurses, does not. */
const NESTED: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);

describe('the readers of answers', () => {
  it('never throw, and what they take can be used', () => {
    fc.assert(
      fc.property(text, (source) => {
        const value = parsed(source);
        const jobs = [batchJobSchema.safeParse(value).data, ...(readBatchJobPage(value)?.items ?? [])];
        for (const job of jobs) if (job !== undefined) expect(toRemoteJob(job).id).not.toBe('');
        const files = [fileSchema.safeParse(value).data, ...(readFilePage(value)?.items ?? [])];
        for (const file of files) if (file !== undefined) expect(toRemoteFile(file).id).not.toBe('');
        expect(typeof readErrorBody(source).message).toBe('string');
        deletedSchema.safeParse(value);
        signedUrlSchema.safeParse(value);
      }),
      { examples: CORPUS, numRuns: 3000 },
    );
  });

  it('read every sound entry of a list, in order, whatever stands between them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('sound' as const), json)), (entries) => {
        const data = entries.map((entry, index) =>
          entry === 'sound' ? { ...JOB, id: `job-${index}` } : entry,
        );
        const expected = entries.flatMap((entry, index) => (entry === 'sound' ? [`job-${index}`] : []));
        const page = readBatchJobPage({ data: [...data, NESTED], total: data.length + 1 });
        const ids = page?.items.map(({ id }) => id) ?? [];
        expect(ids.filter((id) => id.startsWith('job-'))).toEqual(expected);
        expect(ids.length + (page?.unreadable.length ?? 0)).toBe(data.length + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('make a typed error of every answer that is no success', () => {
    const headers = fc.dictionary(
      fc.constantFrom('retry-after', 'x-ratelimit-limit-req-minute', 'content-type'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), text, headers, (status, source, given) => {
        const call = { name: 'get job', creates: false };
        const error = failureOfAnswer({ status, headers: { ...given }, text: source }, call, 0);
        expect(error).toBeInstanceOf(ProviderError);
        expect(error.message.length).toBeLessThan(150);
        expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(3_600_000);
      }),
      { examples: CORPUS.map(([source]) => [500, source, {}]), numRuns: 2000 },
    );
  });
});

describe('a line of results', () => {
  it('is a row or unreadable, never an exception', () => {
    const bytes = fc.oneof(
      text.map((source) => new Uint8Array(Buffer.from(source))),
      fc.uint8Array({ maxLength: 80 }),
    );
    fc.assert(
      fc.property(bytes, (line) => {
        const read = readOutputLine(line);
        if (read.kind !== 'row') return;
        const span = read.response?.body ?? null;
        if (span !== null) {
          expect(() => parsed(Buffer.from(line.subarray(span.start, span.end)).toString())).not.toThrow();
        }
      }),
      { examples: CORPUS.map(([source]) => [new Uint8Array(Buffer.from(source))]), numRuns: 3000 },
    );
    const nested = `{"custom_id":"a","error":${JSON.stringify([])}${' '}}`.replace(
      '[]',
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    );
    expect(readOutputLine(Buffer.from(nested))).toMatchObject({ kind: 'row', customId: 'a' });
  });
});

describe('a list with an entry that can’t be read', () => {
  it('is walked to its end, even if the entry is nested too deeply to be compared', async () => {
    const unreadable: unknown[] = [];
    const pages = [
      { hasData: true, items: ['a'], unreadable: [NESTED], total: 4 },
      { hasData: true, items: ['b'], unreadable: [NESTED], total: 4 },
      { hasData: true, items: [], unreadable: [], total: 4 },
    ];
    const walk = walkPages<string>({
      fetchPage: (page) =>
        Promise.resolve(pages[page] ?? { hasData: true, items: [], unreadable: [], total: 4 }),
      idOf: (item) => item,
      onUnreadable: (entry) => unreadable.push(entry),
    });
    const items: string[] = [];
    for await (const item of walk) items.push(item);
    expect(items).toEqual(['a', 'b']);
    expect(unreadable.length).toBeGreaterThan(0);
  });

  it('is searched without an exception, and leaves a doubt where the job may be', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json, { maxLength: 5 }), async (entries) => {
        const readJob = (id: string): Promise<never> => {
          // What the client does with an id before it asks.
          segment('get job', id);
          return Promise.reject(new ProviderError('ProviderNotFound', 'gone', { effect: 'refused' }));
        };
        const calls = { readJob, mayLackMetadata: () => Promise.resolve(true) };
        const { jobs } = await searchUnreadable(entries, [['longhaul_key', 'k']], calls);
        expect(jobs).toEqual([]);
      }),
      { examples: [[[{ id: '\ud800', metadata: 7 }]], [[NESTED]]], numRuns: 1000 },
    );
  });
});

it('any id becomes one segment of a path, or belongs to nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (id) => {
      try {
        expect(segment('get job', id)).not.toMatch(/[/?#\s]|^\.{0,2}$/);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        expect(error.type).toBe('ProviderNotFound');
      }
    }),
    { examples: [['\ud800'], ['..'], ['.'], [''], ['../files'], ['a?b#c']], numRuns: 2000 },
  );
});

it('any Retry-After is a wait of at most an hour, or none', () => {
  const seconds = fc.oneof(fc.integer(), fc.bigInt(), fc.double()).map(String);
  const date = fc.date({ noInvalidDate: true }).map((value) => value.toUTCString());
  const near = fc.constantFrom(
    '1e9',
    '0x10',
    '-1',
    '+5',
    ' 5 ',
    '5;q=1',
    'Mon',
    'Mon, ',
    'Infinity',
    'NaN',
    '٣',
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), seconds, date, near), fc.integer({ min: 0 }), (value, now) => {
      const wait = parseRetryAfter(value, now);
      if (wait === null) return;
      expect(Number.isInteger(wait)).toBe(true);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(3_600_000);
    }),
    { numRuns: 3000 },
  );
});
