import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import type { BatchProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import { attendBatch, reportEnd } from '../../cli/attend.js';
import { Interrupted, Interrupts } from '../../cli/interrupts.js';
import { LostServer } from '../../cli/link.js';
import type { Link } from '../../cli/link.js';
import type { BatchHandle } from '../../client/types.js';
import { ScriptedSupervisor } from '../support/scripted-supervisor.js';

const PROGRESS: BatchProgress = {
  batchId: 'nightly',
  phase: 'running',
  paused: false,
  rows: { ...NO_ROWS, total: 3, unanswered: 3 },
  rowsDone: 0,
  shards: { total: 1, running: 1, done: 0 },
  jobs: [],
  running: [0],
  startedAt: '2026-11-22T12:00:00.000Z',
  etaAt: null,
};

let supervisor: ScriptedSupervisor;
let interrupts: Interrupts;
beforeEach(async () => {
  supervisor = await ScriptedSupervisor.create();
  interrupts = new Interrupts();
});
afterEach(async () => {
  interrupts.stop();
  await supervisor.remove();
});

const linkWith = (lost: AbortSignal): Link => ({
  longhaul: {} as Link['longhaul'],
  session: null,
  lost,
  close: () => Promise.resolve(),
});

/** What a command says and does when its server is lost for this reason, and `reopen` comes to this. */
async function whenLost(
  why: LostServer['why'],
  reopen: () => Promise<never>,
): Promise<{ ended: unknown; notes: string[]; reopenings: number }> {
  const context = supervisor.context();
  const notes: string[] = [];
  context.output.divertNotes((text) => void notes.push(text));
  const link = linkWith(AbortSignal.abort(new LostServer('Temporal keeps ending', why)));
  // The batch is watched over the server that is gone.
  const progress = (): never => {
    throw new Error('aborted');
  };
  const handle = { batchId: 'nightly', progress } as unknown as BatchHandle;
  const reopened = vi.fn(reopen);
  const ended = await attendBatch(
    context,
    { link, handle },
    { json: false, quiet: true, interrupts, reopen: reopened },
  ).catch((error: unknown) => error);
  return { ended, notes, reopenings: reopened.mock.calls.length };
}

it('a server that gave up is started again', async () => {
  const { ended, reopenings } = await whenLost('trouble', () => Promise.reject(new Error('no disk')));
  expect(reopenings).toBe(1);
  expect(ended).toMatchObject({ message: 'no disk' });
});

it.each([
  ['asked', 'longhaul wait nightly'],
  ['home-removed', 'The same `longhaul run` again'],
] as const)('a server that ended by %s is not, and what to do is said', async (why, words) => {
  const { ended, reopenings } = await whenLost(why, () => Promise.reject(new Error('started')));
  expect(reopenings).toBe(0);
  expect(ended).toMatchObject({
    type: 'EmbeddedServerStopped',
    exitCode: 4,
    message: expect.stringContaining(words) as string,
  });
});

it('Ctrl-C while it is being started again detaches, and never says that nothing was sent', async () => {
  const { ended, notes } = await whenLost('crash', () => Promise.reject(new Interrupted()));
  expect(ended).toBe(130);
  expect(notes.join('\n')).toMatch(/Nothing is lost; go on with `longhaul wait nightly`/);
  expect(notes.join('\n')).not.toContain('nothing was sent');
});

it.each([
  ['running', 'nightly goes on.'],
  ['waiting-for-quota', 'nightly goes on.'],
  ['paused', 'nightly is paused: no new job is created; `longhaul resume nightly` goes on.'],
  [
    'waiting-for-auth',
    'nightly waits: the provider refuses the API key; set a valid one, then `longhaul resume nightly`.',
  ],
] as const)(
  'a batch that is left alone while it is %s is not said to do more than it does',
  async (phase, words) => {
    const context = supervisor.context();
    const notes: string[] = [];
    context.output.divertNotes((text) => void notes.push(text));
    const link = linkWith(new AbortController().signal);
    const handle = {
      batchId: 'nightly',
      trouble: () => Promise.resolve(null),
      progress: async function* () {
        yield await Promise.resolve({ ...PROGRESS, phase });
      },
    } as unknown as BatchHandle;
    const options = { json: false, quiet: true, interrupts, until: () => true };
    const reopen = (): Promise<never> => Promise.reject(new Error('not lost'));
    expect(await attendBatch(context, { link, handle }, { ...options, reopen })).toBe(0);
    expect(notes.slice(-2)).toEqual([words, 'Attach again: longhaul wait nightly']);
  },
);

const MANIFEST: Manifest = {
  batchId: 'nightly',
  generation: null,
  outcome: 'succeeded',
  phase: 'done',
  provider: null,
  endpoint: null,
  model: null,
  input: null,
  rows: { ...NO_ROWS, total: 3, succeeded: 3 },
  jobs: [],
  usage: {},
  results: null,
  errors: null,
  failure: null,
  startedAt: '2026-11-22T12:00:00.000Z',
  finishedAt: '2026-11-22T13:00:00.000Z',
};

it('a batch that succeeded does not exit with 0 where the copy of its results can’t be written', async () => {
  const context = supervisor.context();
  const notes: string[] = [];
  context.output.divertNotes((text) => void notes.push(text));
  const handle = { batchId: 'nightly' } as unknown as BatchHandle;
  const end = { handle, manifest: MANIFEST, json: false };
  await expect(reportEnd(context, { ...end, output: 'out.jsonl' })).rejects.toMatchObject({
    type: 'NoResults',
    exitCode: 4,
    message: expect.stringMatching(/^out\.jsonl was not written: .*LONGHAUL_STORE/) as string,
  });
  expect(await reportEnd(context, end)).toBe(0);
  expect(notes.join('\n')).toContain('Its results are not in the store');
});
