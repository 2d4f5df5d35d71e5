import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLink } from '../../cli/link.js';
import { ScriptedSupervisor, WELCOME } from '../support/scripted-supervisor.js';

const CODEC_KEYS = `here:${Buffer.alloc(32, 7).toString('base64')}`;

let supervisor: ScriptedSupervisor;
beforeEach(async () => {
  supervisor = await ScriptedSupervisor.create();
  await supervisor.listen({ type: 'accepted', pid: 1 }, WELCOME);
});
afterEach(() => supervisor.remove());

it('a command that only looks gives the keys for what Temporal keeps to the worker, and no others', async () => {
  const context = supervisor.context({ LONGHAUL_CODEC_KEYS: CODEC_KEYS, MISTRAL_API_KEY: 'sk-looking' });
  await (await openLink(context, { need: 'workflow-only' })).close();
  expect(JSON.parse(supervisor.heard)).toMatchObject({
    need: 'workflow-only',
    settings: { workerEnv: { LONGHAUL_CODEC_KEYS: CODEC_KEYS } },
  });
  expect(supervisor.heard).not.toContain('sk-looking');
});

it('a command that only looks has no opinion on keys that it was not given', async () => {
  await (await openLink(supervisor.context(), { need: 'workflow-only' })).close();
  expect(JSON.parse(supervisor.heard)).toMatchObject({ settings: {} });
  expect(supervisor.heard).not.toContain('workerEnv');
});
