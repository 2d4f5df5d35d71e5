import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import { classOf, isRowErrorType, ROW_CLASSES } from '../../batch/rows.js';
import { exitCodeOf } from '../../cli/exit-codes.js';
import { Longhaul } from '../../client/index.js';
import type { StartOptions } from '../../client/index.js';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { holdHome } from '../support/e2e-embedded.js';
import type { EmulatorJob } from '../support/e2e-emulator.js';
import { API_KEY, E2eHome, ENDPOINT, MODEL } from '../support/e2e-home.js';
import { expectedAnswers, parseResults, questions, writeRows } from '../support/e2e-rows.js';
import { END_CASES, ROWS } from '../support/end-cases.js';
import type { EndCase, Interference, Stage } from '../support/end-cases.js';

/**
 * Every way a job can end, many batches side by side in one home. A person runs the command and runs it again; a backend
 * service goes on from there, as the options `--retry` and `--rebuy-lost` do.
 */

const SEED = 7;
const ROW_IDS = questions(ROWS).map(({ custom_id }) => custom_id);

let home: E2eHome;
let session: EmbeddedSession;
let service: Longhaul;
let input: string;
let answers: Map<string, unknown>;

beforeAll(async () => {
  home = await E2eHome.create({ emulator: { seed: SEED }, env: { LONGHAUL_CANCEL_WAIT: '4s' } });
  input = await writeRows(join(home.folder, 'questions.jsonl'), questions(ROWS));
  answers = await expectedAnswers(await readFile(input), { seed: SEED, model: MODEL });
  session = await holdHome(home);
  const { address, namespace } = session;
  service = await Longhaul.connect({ address, namespace, home: home.path, baseUrl: home.emulator.url });
});

afterAll(async () => {
  await service.close();
  await session.close();
  await home.remove();
});

/** What is unknown to the provider is believed to be gone after a minute: those cases begin first. */
const LONGEST_FIRST = END_CASES.toSorted((a, b) => Number(takesLong(b)) - Number(takesLong(a)));

function takesLong({ run }: EndCase): boolean {
  return run.errors.output_gone !== undefined;
}

describe.concurrent('a job that ends as', { timeout: 300_000 }, () => {
  test.each(LONGEST_FIRST.map((end, n) => [end.end, `end-${n}`, end] as const))('%s', async (_, id, end) => {
    const jobs = new Set<string>();
    const metadata = { longhaul_batch: id };
    const onFirst = (end.job ?? []).map((fault) => ({ route: 'createJob', count: 1, fault }));
    await home.emulator.setFaults(...onFirst.map((rule) => ({ ...rule, match: { metadata } })));
    const passing = await home.emulator.setFaults(
      ...(end.requests ?? []).map((rule) => ({ ...rule, match: { metadata } })),
    );

    const first = home.run(input, id, '--json', ...(end.args ?? []));
    if (end.meanwhile !== undefined) await interfere(end.meanwhile, id, passing);
    await first.ended;
    if (end.meanwhile !== 'delete the error file') await home.emulator.removeFaults(passing);
    await expectStage(id, end.run, await manifestOf(first, end.run), jobs);
    const before = await requestsAbout(jobs);
    const second = home.run(input, id, '--json', ...(end.args ?? []));
    await expectStage(id, end.again, await manifestOf(second, end.again), jobs);
    // A finished batch is returned without a word to the provider.
    if (end.again.bought === 0) expect(await requestsAbout(jobs)).toBe(before);
    await expectStage(id, end.retry, await serviceGoesOn(id, { retry: true }), jobs);
    await expectStage(id, end.rebuyLost, await serviceGoesOn(id, { rebuyLost: true }), jobs);
  });
});

/** What a command prints that ends with the exit code of this stage. */
async function manifestOf(command: ReturnType<E2eHome['run']>, { outcome }: Stage): Promise<Manifest> {
  await command.exits(exitCodeOf(outcome));
  return manifestSchema.parse(JSON.parse(command.stdout));
}

async function serviceGoesOn(id: string, how: Pick<StartOptions, 'retry' | 'rebuyLost'>): Promise<Manifest> {
  const what = { input, id, endpoint: ENDPOINT, model: MODEL, pollMin: '1s' };
  return (await service.start({ ...what, ...how })).result();
}

async function expectStage(id: string, stage: Stage, told: Manifest, jobs: Set<string>): Promise<void> {
  const manifest = await home.manifest(id);
  expect(told).toEqual(manifest);
  expect(manifest.outcome).toBe(stage.outcome);
  expect(manifest.failure?.type ?? null).toBe(stage.failure);
  await expectRows(id, stage, manifest);

  const known = jobs.size;
  for (const job of await home.emulator.jobs(id)) jobs.add(job.id);
  for (const { jobId } of manifest.jobs) jobs.add(jobId);
  expect(jobs.size - known, 'jobs that this stage bought').toBe(stage.bought);
  expect(new Set(manifest.jobs.map(({ jobId }) => jobId))).toEqual(jobs);
  const accepted = (await home.emulator.journal('createJob')).map(({ effect }) => effect?.['created']);
  expect(accepted).toEqual(expect.arrayContaining([...jobs]));
  const places = manifest.jobs.map(({ shard, round }) => `${shard}/${round}`);
  expect(new Set(places).size, 'one job per shard and round').toBe(places.length);
}

/** Requests so far that name one of these jobs or of their files. */
async function requestsAbout(jobs: ReadonlySet<string>): Promise<number> {
  const known = (await home.emulator.jobs()).filter(({ id }) => jobs.has(id));
  const files = known.flatMap(({ input_files, output_file, error_file }) => [
    ...input_files,
    output_file,
    error_file,
  ]);
  const names = [...jobs, ...files.filter((file) => file !== null)];
  return (await home.emulator.journal()).filter(({ path }) => names.some((name) => path.includes(name)))
    .length;
}

/** One line for each row, in order; the right answer or an error of the right type; counts that add up. */
async function expectRows(id: string, stage: Stage, manifest: Manifest): Promise<void> {
  const results = parseResults(await home.results(id));
  expect(results.map(({ custom_id }) => custom_id)).toEqual(ROW_IDS);
  const errors: Record<string, number> = {};
  const classes: Record<string, number> = { total: ROWS };
  for (const rowClass of ROW_CLASSES) classes[rowClass] = 0;
  for (const { custom_id, response, error } of results) {
    const type = error?.type ?? null;
    if (type === null) expect(response).toEqual({ status_code: 200, body: answers.get(custom_id ?? '') });
    else errors[type] = (errors[type] ?? 0) + 1;
    const rowClass = type === null || isRowErrorType(type) ? classOf(type) : type;
    classes[rowClass] = (classes[rowClass] ?? 0) + 1;
  }
  expect(errors).toEqual(stage.errors);
  expect(manifest.rows).toEqual(classes);
  const lines = (await readFile(home.storePath(id, 'errors.jsonl'), 'utf8')).split('\n').slice(0, -1);
  expect(lines).toHaveLength(ROWS - (classes['succeeded'] ?? 0));
}

/** What somebody does to the batch's job while its first command runs. */
async function interfere(what: Interference, id: string, passing: readonly string[]): Promise<void> {
  const { emulator } = home;
  if (what === 'delete the error file') {
    const { error_file } = await jobOf(id, ({ output_file }) => wasAskedFor(output_file));
    await emulator.removeFaults(passing);
    await emulator.delete(`/v1/files/${String(error_file)}`, API_KEY);
    await emulator.release('getFile');
    return;
  }
  const job = await jobOf(id);
  if (what === 'cancel') await home.longhaul('cancel', id).exits(0);
  if (what === 'delete the job') await emulator.delete(`/v1/batch/jobs/${job.id}`, API_KEY);
  if (what === 'delete the input file') {
    expect(job.status).toBe('QUEUED');
    await emulator.delete(`/v1/files/${String(job.input_files[0])}`, API_KEY);
  }
}

async function wasAskedFor(fileId: string | null): Promise<boolean> {
  return (await home.emulator.journal('getFile')).some(({ path }) => path.endsWith(`/${String(fileId)}`));
}

/** The batch's first job, once there is one and it is so far. */
async function jobOf(
  id: string,
  isSoFar: (job: EmulatorJob) => Promise<boolean> = () => Promise.resolve(true),
): Promise<EmulatorJob> {
  return vi.waitFor(
    async () => {
      const [job] = await home.emulator.jobs(id);
      if (job === undefined || !(await isSoFar(job))) throw new Error(`the job of ${id} is not so far yet`);
      return job;
    },
    { timeout: 60_000, interval: 100 },
  );
}
