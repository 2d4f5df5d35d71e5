import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { attendBatch } from '../../cli/attend.js';
import { Interrupted, Interrupts } from '../../cli/interrupts.js';
import { LostServer } from '../../cli/link.js';
import type { Link } from '../../cli/link.js';
import type { BatchHandle } from '../../client/types.js';
import { ScriptedSupervisor } from '../support/scripted-supervisor.js';

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

/** What a command says and does when its server is lost for this reason, and `reopen` comes to this. */
async function whenLost(
  why: LostServer['why'],
  reopen: () => Promise<never>,
): Promise<{ ended: unknown; notes: string[]; reopenings: number }> {
  const context = supervisor.context();
  const notes: string[] = [];
  context.output.divertNotes((text) => void notes.push(text));
  const link: Link = {
    longhaul: {} as Link['longhaul'],
    session: null,
    lost: AbortSignal.abort(new LostServer('Temporal keeps ending', why)),
    close: () => Promise.resolve(),
  };
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
