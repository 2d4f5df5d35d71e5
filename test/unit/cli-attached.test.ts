import { afterEach, beforeEach, expect, it } from 'vitest';
import { choiceToGoOn } from '../../cli/attached.js';
import { ScriptedSupervisor, WELCOME } from '../support/scripted-supervisor.js';

const LOOPBACK = 'http://127.0.0.1:4010';

let supervisor: ScriptedSupervisor;
beforeEach(async () => {
  supervisor = await ScriptedSupervisor.create();
});
afterEach(() => supervisor.remove());

it('a command without a key leaves the worker of the home its own', async () => {
  await supervisor.listen({ type: 'accepted', pid: 1 }, { ...WELCOME, hasKey: true });
  expect(await choiceToGoOn(supervisor.context())).toMatchObject({ apiKey: null });
  const loopback = supervisor.context({ MISTRAL_BASE_URL: LOOPBACK });
  expect(await choiceToGoOn(loopback)).toEqual({ apiKey: null, baseUrl: LOOPBACK });
});

it('a command without a key says so when the server of the home has none either', async () => {
  await supervisor.listen({ type: 'accepted', pid: 1 }, WELCOME);
  await expect(choiceToGoOn(supervisor.context())).rejects.toMatchObject({
    type: 'MissingKey',
    exitCode: 2,
    message: expect.stringContaining('MISTRAL_API_KEY is not set') as string,
  });
});

it('a command without a key takes the loopback one for a worker without any', async () => {
  await supervisor.listen({ type: 'accepted', pid: 1 }, WELCOME);
  const context = supervisor.context({ MISTRAL_BASE_URL: LOOPBACK });
  expect(await choiceToGoOn(context)).toEqual({ apiKey: 'emulator', baseUrl: LOOPBACK });
});
