import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EmbeddedSession } from '../../dev/embedded.js';
import type { Command } from '../support/e2e-command.js';
import { holdHome } from '../support/e2e-embedded.js';
import { E2eHome } from '../support/e2e-home.js';
import { ONCE_ROWS, ONCE_TIMEOUT_MS } from '../support/e2e-once.js';
import { pidOf, sigkill } from '../support/e2e-processes.js';
import { parseResults, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';
import { cancelSignal } from '../../workflows/messages.js';

/*
 * A cancel while a create is under way. Whatever becomes of the create, no job may be left running, and a job that was
 * made is in the manifest.
 */

/** The POST's time-out is half of it. */
const SETTLE = '24s';

let home: E2eHome;
let session: EmbeddedSession;
let temporal: E2eTemporal;
let input: string;

beforeAll(async () => {
  home = await E2eHome.create({
    emulator: { jobSeconds: 120, cancelSeconds: 0.1 },
    env: { LONGHAUL_CREATE_SETTLE: SETTLE },
  });
  home.env['LONGHAUL_FILE_ROOTS'] = home.folder;
  input = await writeRows(join(home.folder, 'questions.jsonl'), ONCE_ROWS);
  session = await holdHome(home);
  temporal = await E2eTemporal.connect(session.address, session.namespace);
});

afterAll(async () => {
  await temporal.close();
  await session.close();
  await home.remove();
});

const MODES = ['keep', 'discard'] as const;

/** Two runs whose creates are held, and a cancel of each, one of either mode, that was taken in meanwhile. */
async function cancelledDuringCreate(name: string, hold: object): Promise<Command[]> {
  const held = (await home.emulator.journal('createJob')).length;
  const ids = MODES.map((mode) => `${name}-${mode}`);
  for (const id of ids) {
    const match = { metadata: { longhaul_batch: id } };
    await home.emulator.setFaults({ route: 'createJob', match, fault: hold });
  }
  const commands = ids.map((id) => home.run(input, id));
  await home.emulator.waitFor('createJob', { count: held + MODES.length });
  for (const mode of MODES) {
    await temporal.client.workflow.getHandle(`${name}-${mode}`).signal(cancelSignal, { mode });
  }
  const cancelling = (command: Command) => expect(command.stderr).toContain('cancelling');
  await vi.waitFor(() => commands.forEach(cancelling), { timeout: 30_000, interval: 50 });
  return commands;
}

/** Both batches have ended as cancelled; `made` jobs each, which are listed and do not run. */
async function expectNothingRuns(name: string, commands: readonly Command[], made: 0 | 1): Promise<void> {
  await Promise.all(commands.map((command) => command.exits(5)));
  for (const mode of MODES) {
    const batchId = `${name}-${mode}`;
    const jobs = await home.emulator.jobs(batchId);
    expect(jobs, batchId).toHaveLength(made);
    for (const { status } of jobs) expect(status).toMatch(/^CANCELL/);
    const manifest = await home.manifest(batchId);
    expect(manifest).toMatchObject({ outcome: 'cancelled', rows: { total: ONCE_ROWS.length } });
    expect(manifest.jobs.map(({ jobId }) => jobId)).toEqual(jobs.map(({ id }) => id));
    expect(parseResults(await home.results(batchId))).toHaveLength(ONCE_ROWS.length);
  }
}

const AFTER = { type: 'hold', when: 'after' };
const BEFORE = { type: 'hold', when: 'before', ifAborted: 'proceed' };
const DROPPED = { type: 'hold', when: 'before', ifAborted: 'drop' };

/** One after the other: a release lets every held request go. */
describe('a cancel', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('before the create takes effect cancels the job that it makes', async () => {
    const commands = await cancelledDuringCreate('before', BEFORE);
    await home.emulator.release();
    await expectNothingRuns('before', commands, 1);
  });

  test('after the create took effect, before its answer, cancels the job', async () => {
    const commands = await cancelledDuringCreate('after', AFTER);
    await home.emulator.release();
    await expectNothingRuns('after', commands, 1);
  });

  test('of a create whose answer never comes finds the job and cancels it', async () => {
    const commands = await cancelledDuringCreate('unanswered', AFTER);
    await expectNothingRuns('unanswered', commands, 1);
  });

  test('of a create that is carried out after its time-out finds the job and cancels it', async () => {
    const commands = await cancelledDuringCreate('late', BEFORE);
    await vi.waitFor(
      async () => {
        const given = (await home.emulator.journal('createJob')).slice(-MODES.length);
        expect(given).toMatchObject([{ aborted: true }, { aborted: true }]);
      },
      { timeout: 60_000, interval: 50 },
    );
    await home.emulator.release();
    await expectNothingRuns('late', commands, 1);
  });

  test('of a create that is lost leaves nothing', async () => {
    const commands = await cancelledDuringCreate('dropped', DROPPED);
    await expectNothingRuns('dropped', commands, 0);
  });

  test('of a create that its worker did not survive finds the job and cancels it', async () => {
    const commands = await cancelledDuringCreate('killed', AFTER);
    sigkill(await pidOf(home.path, 'worker'));
    await expectNothingRuns('killed', commands, 1);
  });
});
