import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readServerFile } from '../../storage/home-files.js';
import type { Command } from '../support/e2e-command.js';
import { E2eHome } from '../support/e2e-home.js';
import { expectNoProcess, pidOf, processesOfHome, sigkill } from '../support/e2e-processes.js';
import { questions, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';

const ROWS = questions(300);
const BATCH = 'crashed';
/** A crash is noticed when heartbeats stay away, and several crashed homes share this machine. */
const TIMEOUT_MS = 170_000;

let undisturbed: Buffer;

/** A home of its own for what the test does, gone after it whatever happened. */
async function withHome(work: (home: E2eHome, input: string) => Promise<void>): Promise<void> {
  const home = await E2eHome.create();
  try {
    await work(home, await writeRows(join(home.folder, 'questions.jsonl'), ROWS));
  } finally {
    await home.remove();
  }
}

beforeAll(async () => {
  await withHome(async (home, input) => {
    await home.run(input, BATCH).exits(0);
    undisturbed = await home.results(BATCH);
  });
});

/** The request was really cut off on its way. */
async function expectCutOff(home: E2eHome, route: string): Promise<void> {
  await vi.waitFor(async () =>
    expect((await home.emulator.journal(route))[0]).toMatchObject({ aborted: true }),
  );
}

/** The promise that a crash must not break: the same command brings the same bytes, and one job was paid for. */
async function expectSameEnd(home: E2eHome, input: string): Promise<void> {
  await home.run(input, BATCH).exits(0);
  expect((await home.results(BATCH)).equals(undisturbed)).toBe(true);
  expect(await home.emulator.jobs()).toMatchObject([{ status: 'SUCCESS', total_requests: ROWS.length }]);
  expect(await home.emulator.effects('createJob')).toBe(1);
  expect(await home.manifest(BATCH)).toMatchObject({ outcome: 'succeeded', jobs: [{ status: 'SUCCESS' }] });
  await expectNoProcess(home.path);
  await home.expectNoTempFiles();
}

async function killWorker(home: E2eHome): Promise<void> {
  const pid = await pidOf(home.path, 'worker');
  sigkill(pid);
  await vi.waitFor(() => expect(processesOfHome(home.path).map((found) => found.pid)).not.toContain(pid));
}

/** Supervisor, guard, server and worker too: as when the machine loses its power. */
async function killTree(home: E2eHome): Promise<void> {
  await vi.waitFor(() => {
    home.killAll();
    expect(processesOfHome(home.path)).toEqual([]);
  });
}

/** Only the command: what it started notices, and ends by itself. */
async function killCommand(home: E2eHome, command: Command): Promise<void> {
  command.kill();
  await command.exits('SIGKILL');
  await expectNoProcess(home.path);
}

describe.concurrent('SIGKILL', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['is carried out after the worker’s death', { when: 'before', ifAborted: 'proceed' }],
    ['is lost with the worker', { when: 'before', ifAborted: 'drop' }],
    ['is carried out and its answer is lost with the worker', { when: 'after' }],
  ] as const)('of the worker while a create is under way that %s', (_, hold) =>
    withHome(async (home, input) => {
      await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: { type: 'hold', ...hold } });
      const command = home.run(input, BATCH);
      await home.emulator.waitFor('createJob');
      await killWorker(home);
      await home.emulator.release();
      await command.exits(0);
      await expectSameEnd(home, input);
    }),
  );

  test.each([
    ['worker and Temporal server', ['server', 'worker']],
    ['the supervisor, which takes both with it,', ['supervisor']],
  ] as const)('of %s while a poll timer runs', (_, roles) =>
    withHome(async (home, input) => {
      await home.emulator.setFaults({ route: 'createJob', fault: { type: 'jobSeconds', seconds: 12 } });
      const command = home.run(input, BATCH, '--poll-min', '5s');
      await home.emulator.waitFor('getJob', { until: 'answered' });
      await untilPollTimer(home);
      const pids = await Promise.all(roles.map((role) => pidOf(home.path, role)));
      for (const pid of pids) sigkill(pid);
      await command.exits(0);
      await expectSameEnd(home, input);
    }),
  );

  const MOMENTS = [
    ['an upload', 'uploadFile', { type: 'slowUpload', bytesPerSecond: 2_000 }],
    ['a download', 'fileContent', { type: 'slowDownload', bytesPerSecond: 4_000 }],
  ] as const;

  test.each(MOMENTS)('of the command in the middle of %s', (_, route, fault) =>
    withHome(async (home, input) => {
      await home.emulator.setFaults({ route, nth: 1, fault });
      const command = home.run(input, BATCH);
      await home.emulator.waitFor(route);
      await killCommand(home, command);
      await expectCutOff(home, route);
      await expectSameEnd(home, input);
    }),
  );

  test.each(MOMENTS)('of all processes in the middle of %s', (_, route, fault) =>
    withHome(async (home, input) => {
      await home.emulator.setFaults({ route, nth: 1, fault });
      const command = home.run(input, BATCH);
      await home.emulator.waitFor(route);
      await killTree(home);
      await command.exits('SIGKILL');
      await expectCutOff(home, route);
      await expectSameEnd(home, input);
    }),
  );
});

/** Returns when the newest event of the shard is the start of a timer. */
async function untilPollTimer(home: E2eHome): Promise<void> {
  const server = await readServerFile(home.path);
  const temporal = await E2eTemporal.connect(server?.address ?? '', server?.namespace ?? '');
  try {
    await vi.waitFor(async () => expect(await temporal.isInTimer(`${BATCH}/shard-00000`)).toBe(true), {
      timeout: 20_000,
      interval: 100,
    });
  } finally {
    await temporal.close();
  }
}
