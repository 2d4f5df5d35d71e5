import { afterEach, beforeEach, expect, it } from 'vitest';
import { holdUntilInterrupted } from '../../cli/hold.js';
import { Interrupts } from '../../cli/interrupts.js';
import { openLinkIfRunning } from '../../cli/link.js';
import type { StopCause } from '../../dev/embedded.js';
import { ScriptedSupervisor, WELCOME } from '../support/scripted-supervisor.js';

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

/** A command that holds the server up, when the server stops for this cause; null: without a word. */
async function held(cause: StopCause | null, message: string): Promise<unknown> {
  await supervisor.listen({ type: 'accepted', pid: 1 }, WELCOME);
  const context = supervisor.context();
  const link = await openLinkIfRunning(context);
  if (link === null) throw new Error('no supervisor');
  const code = holdUntilInterrupted(context, link, interrupts).catch((error: unknown) => error);
  if (cause !== null) supervisor.say({ type: 'stopping', message, cause });
  supervisor.hangUp();
  const ended = await code;
  await link.close();
  return ended;
}

it('holding the server ends well when somebody stops it', async () => {
  expect(await held('asked', '`longhaul stop` was called')).toBe(0);
});

it.each([
  ['trouble', 'Temporal keeps ending', 'Open batches go on with the same command again; supervisor.log'],
  ['home-removed', 'the home was removed', 'The same `longhaul run` again finds the jobs'],
] as const)(
  'holding the server fails at its end by %s, and says what to do',
  async (cause, message, next) => {
    expect(await held(cause, message)).toMatchObject({
      type: 'EmbeddedServerStopped',
      exitCode: 4,
      message: expect.stringContaining(`${message}. ${next}`) as string,
    });
  },
);

it('holding the server fails when its supervisor was killed', async () => {
  expect(await held(null, '')).toMatchObject({ type: 'EmbeddedServerStopped', exitCode: 4 });
});
