import { expect, it } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import { formatBytes, formatSpan, formatTable, plural } from '../../cli/format.js';
import { listTable } from '../../cli/list.js';
import { PLAIN } from '../../cli/paint.js';
import { summaryTable } from '../../cli/summary-table.js';

const NOW = Date.parse('2026-11-22T12:10:00Z');

const JOB = {
  shard: 0,
  round: 1,
  jobId: 'job-1',
  status: 'SUCCESS',
  requests: 1319,
  succeeded: 1300,
  failed: 19,
  createdAt: '2026-11-22T12:00:00Z',
  completedAt: '2026-11-22T12:04:02Z',
};

const MANIFEST: Manifest = {
  batchId: 'gsm8k-0123456789ab',
  generation: 1,
  outcome: 'partial',
  phase: 'done',
  provider: 'mistral',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
  input: null,
  rows: { total: 1319, succeeded: 1300, failed: 19, invalid: 0, cancelled: 0, expired: 0, missing: 0 },
  jobs: [JOB],
  usage: { total_tokens: 4_321_000 },
  results: { uri: 'file:///s/results.jsonl', rows: 1319, bytes: 1_400_000, sha256: 'a'.repeat(64) },
  errors: { uri: 'file:///s/errors.jsonl', rows: 19, bytes: 900, sha256: 'b'.repeat(64) },
  failure: null,
  startedAt: '2026-11-22T12:00:00Z',
  finishedAt: '2026-11-22T12:05:00Z',
};

it('sums up a finished batch', () => {
  expect(summaryTable(MANIFEST, NOW, PLAIN)).toEqual([
    'batch    gsm8k-0123456789ab',
    'outcome  partial',
    'model    mistral-small-latest /v1/chat/completions',
    'rows     1,319: 1,300 succeeded, 19 failed',
    'usage    4,321,000 total_tokens',
    'time     5m, until 2026-11-22 12:05:00 UTC',
    'results  file:///s/results.jsonl (1.4 MB)',
    'errors   file:///s/errors.jsonl',
    '',
    'shard  round  job    status    rows  succeeded  failed  time',
    '    0      1  job-1  SUCCESS  1,319      1,300      19  4m 2s',
  ]);
});

it('sums up a running batch with what is unanswered, and jobs that go on', () => {
  const rows = { ...MANIFEST.rows, succeeded: 1000, failed: 0 };
  const jobs = [{ ...JOB, completedAt: null, duplicate: true } as const];
  const running = { ...MANIFEST, outcome: null, phase: 'running', finishedAt: null, rows, jobs } as const;
  const text = summaryTable(running, NOW, PLAIN).join('\n');
  expect(text).toContain('phase    running');
  expect(text).toContain('1,319: 1,000 succeeded, 319 unanswered');
  expect(text).toContain('10m, since 2026-11-22 12:00:00 UTC');
  expect(text).toMatch(/SUCCESS \(duplicate\).*10m$/m);
});

it('names the failure of a batch that failed', () => {
  const failure = { type: 'ProviderAuth', message: 'the key was refused' } as const;
  const failed = { ...MANIFEST, outcome: 'failed', failure, results: null, errors: null, jobs: [] } as const;
  expect(summaryTable(failed, NOW, PLAIN)).toContain('failure  ProviderAuth: the key was refused');
});

it('lists batches by what they are in, or came to', () => {
  const entry = {
    batchId: 'a',
    status: 'RUNNING',
    phase: 'running',
    outcome: null,
    provider: 'mistral',
    model: 'm',
    endpoint: '/v1/x',
    rows: 1000,
    rowsFailed: null,
    startedAt: '2026-11-22T12:00:00.000Z',
    closedAt: null,
  } as const;
  const terminated = { ...entry, batchId: 'bc', status: 'TERMINATED', closedAt: entry.startedAt } as const;
  expect(listTable([entry, terminated])).toEqual([
    'batch  state        rows  unsuccessful  model  started (UTC)',
    'a      running     1,000                m      2026-11-22 12:00:00',
    'bc     terminated  1,000                m      2026-11-22 12:00:00',
  ]);
});

it('writes spans, sizes and counts for people', () => {
  const spans = [0, 999, 42_000, 200_000, 3_600_000, 100_000_000].map(formatSpan);
  expect(spans).toEqual(['0s', '1s', '42s', '3m 20s', '1h', '1d 3h']);
  expect([12, 1_400, 2_500_000, 3e9].map(formatBytes)).toEqual(['12 bytes', '1.4 kB', '2.5 MB', '3.0 GB']);
  expect([plural(1, 'row'), plural(2000, 'row')]).toEqual(['1 row', '2,000 rows']);
  expect(formatTable(['a', 'n'], [['x', '10']])).toEqual(['a   n', 'x  10']);
});
