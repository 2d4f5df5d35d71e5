import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_KEY, E2eHome } from '../support/e2e-home.js';
import type { EmulatorJob } from '../support/e2e-emulator.js';
import { questions, writeRows } from '../support/e2e-rows.js';

/** What `--cleanup` deletes at the provider, and what it leaves: files are told by asking for each. */

let home: E2eHome;

beforeAll(async () => {
  home = await E2eHome.create({ emulator: { jobSeconds: 0.3 } });
});

afterAll(() => home.remove());

async function statusOf(path: string): Promise<number> {
  const response = await fetch(`${home.emulator.url}${path}`, {
    headers: { authorization: `Bearer ${API_KEY}` },
  });
  await response.body?.cancel();
  return response.status;
}

/** HTTP statuses of what the jobs read and wrote; each job has one input, here. */
async function filesOf(
  jobs: readonly EmulatorJob[],
): Promise<Record<'input' | 'output' | 'error', number[]>> {
  const statuses = { input: [] as number[], output: [] as number[], error: [] as number[] };
  for (const { input_files, output_file, error_file } of jobs) {
    for (const file of input_files) statuses.input.push(await statusOf(`/v1/files/${file}`));
    if (output_file !== null) statuses.output.push(await statusOf(`/v1/files/${output_file}`));
    if (error_file !== null) statuses.error.push(await statusOf(`/v1/files/${error_file}`));
  }
  return statuses;
}

test.each([
  ['none', { input: [200, 200], output: [200, 200], error: [200] }],
  ['input', { input: [404, 404], output: [200, 200], error: [200] }],
  ['all', { input: [404, 404], output: [404, 404], error: [404] }],
] as const)('--cleanup %s leaves at the provider what it should, and every job', async (cleanup, left) => {
  const rows = questions(6, cleanup);
  const input = await writeRows(join(home.folder, `${cleanup}.jsonl`), rows);
  // One row fails once: two rounds, and a file of errors.
  const fault = { type: 'rowErrors', customIds: [`${cleanup}-2`], attempts: 1, status: 503 };
  const rules = await home.emulator.setFaults({ route: 'createJob', fault });
  await home.run(input, cleanup, '--cleanup', cleanup).exits(0);
  await home.emulator.removeFaults(rules);

  const jobs = await home.emulator.jobs(cleanup);
  expect(jobs.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
  expect(await filesOf(jobs)).toEqual(left);
  for (const { id } of jobs) expect(await statusOf(`/v1/batch/jobs/${id}`)).toBe(200);
  expect((await home.manifest(cleanup)).rows).toMatchObject({ total: 6, succeeded: 6 });
});
