import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { manifestSchema } from '../../schemas/manifest.js';
import { jobRecordSchema } from '../../schemas/records.js';
import type { EmulatorJob } from '../support/e2e-emulator.js';
import type { ChaosBatch } from './chaos-batch.js';
import { keysOf } from './round-keys.js';
import type { ByRound } from './round-keys.js';

/** What a batch leaves behind, told without what differs from run to run: ids of batch and jobs, times, folders. */
export interface Legacy {
  /** `results.jsonl` and `errors.jsonl`, byte for byte but for ids of jobs in messages of cancelled rows. */
  readonly results: string;
  readonly errors: string;
  readonly manifest: unknown;
  readonly files: readonly string[];
  /** What was uploaded. */
  readonly inputs: ByRound;
}

/** How often the provider was asked to create a job, and how often it did. */
export interface Creates {
  readonly sent: number;
  readonly accepted: number;
}

/** Written for a second try of a create, and for nothing else. */
const MAY_BE_MORE = /^rounds\/\d{5}-\d\/(?:intent-[2-9]|refused-\d)\.json$/;

export async function legacyOf(batch: ChaosBatch): Promise<Legacy> {
  const files = await batch.files();
  const inputs = new Map<string, string>();
  const names = new Map<string, string>();
  for (const path of files) {
    const round = /^rounds\/(\d{5}-\d)\/job\.json$/.exec(path)?.[1];
    if (round === undefined) continue;
    const { jobId } = jobRecordSchema.parse(JSON.parse(await batch.read(path)));
    inputs.set(round, await batch.read(`rounds/${round}/input.jsonl`));
    names.set(jobId, `job ${round}`);
  }
  const plain = (text: string) =>
    named(text, names).replaceAll(batch.home.folder, '').replaceAll(batch.id, 'batch');
  const manifest = manifestSchema.parse(JSON.parse(plain(await batch.read('manifest.json'))));
  return {
    results: named(await batch.read('results.jsonl'), names),
    errors: named(await batch.read('errors.jsonl'), names),
    manifest: {
      ...manifest,
      startedAt: '',
      finishedAt: '',
      // The files hold ids of jobs where rows were cancelled: their own hashes differ then.
      ...(manifest.outcome === 'cancelled' && { results: null, errors: null }),
      jobs: manifest.jobs
        .filter(({ duplicate }) => duplicate !== true)
        .map((job) => ({ ...job, createdAt: '', completedAt: '' })),
    },
    files: files.filter((path) => !MAY_BE_MORE.test(path)),
    inputs,
  };
}

function named(text: string, names: ReadonlyMap<string, string>): string {
  return [...names].reduce((changed, [id, name]) => changed.replaceAll(id, name), text);
}

/**
 * The promise that no crash may break: the same bytes, a true account of them, one job paid for per shard and round, and
 * nothing left lying about.
 */
export async function expectKept(batch: ChaosBatch, undisturbed: Legacy, duplicates = 0): Promise<Creates> {
  const creates = await expectPaidOnce(batch, keysOf(batch.id, undisturbed.inputs), duplicates);
  const legacy = await legacyOf(batch);
  expect(legacy.results, 'results.jsonl').toBe(undisturbed.results);
  expect(legacy.errors, 'errors.jsonl').toBe(undisturbed.errors);
  expect(legacy.manifest).toEqual(undisturbed.manifest);
  await expectTrueManifest(batch);
  expect(legacy.files, 'files of the batch').toEqual(undisturbed.files);
  expectNothingLeft(batch.home.path);
  batch.expectTidyHome();
  return creates;
}

/**
 * One accepted job per shard and round. So many duplicates are allowed as a step is known to make; each is cancelled
 * and listed.
 */
export async function expectPaidOnce(batch: ChaosBatch, keys: ByRound, duplicates: number): Promise<Creates> {
  const { emulator } = batch.home;
  const jobs = await emulator.jobs(batch.id);
  const keyOf = ({ metadata }: EmulatorJob) => metadata?.['longhaul_key'] ?? '';
  const accepted = await emulator.effects('createJob');
  expect(accepted, 'jobs paid for').toBe(keys.size + duplicates);
  expect([...new Set(jobs.map(keyOf))].toSorted(), 'keys of the jobs').toEqual([...keys.values()].toSorted());
  const listed = await listedDuplicates(batch);
  expect(listed, 'duplicates in the manifest').toHaveLength(duplicates);
  const spare = jobs.filter(({ id }) => listed.includes(id));
  expect(spare.map(({ status }) => status)).toEqual(listed.map(() => 'CANCELLED'));
  const kept = jobs.filter(({ id }) => !listed.includes(id)).map(keyOf);
  expect(kept.toSorted(), 'one job per key').toEqual([...keys.values()].toSorted());
  return { sent: (await emulator.journal('createJob')).length, accepted };
}

async function listedDuplicates(batch: ChaosBatch): Promise<string[]> {
  const { jobs } = await batch.home.manifest(batch.id);
  return jobs.filter(({ duplicate }) => duplicate === true).map(({ jobId }) => jobId);
}

/** The manifest's jobs are the provider's: their ids, their ends, their counts. */
async function expectTrueManifest(batch: ChaosBatch): Promise<void> {
  const { jobs, rows, outcome } = await batch.home.manifest(batch.id);
  const real = new Map((await batch.home.emulator.jobs(batch.id)).map((job) => [job.id, job]));
  for (const { jobId, status, requests } of jobs.filter(({ duplicate }) => duplicate !== true)) {
    expect(real.get(jobId), `job ${jobId} of the manifest`).toMatchObject({
      status,
      total_requests: requests,
    });
  }
  const { total, succeeded, failed, invalid, cancelled, expired, missing } = rows;
  expect(succeeded + failed + invalid + cancelled + expired + missing).toBe(total);
  expect(outcome).not.toBeNull();
}

/** No unfinished file in the store, none in the scratch folder. */
function expectNothingLeft(home: string): void {
  const temporary = readdirSync(join(home, 'store'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(?:^|\/)\.tmp-|\.tmp$/.test(path),
  );
  expect(temporary, 'unfinished files').toEqual([]);
  const scratch = join(home, 'scratch');
  expect(existsSync(scratch) ? readdirSync(scratch) : [], 'the scratch folder').toEqual([]);
}
