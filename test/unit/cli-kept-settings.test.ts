import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { givenSettings, noteKeptSettings } from '../../cli/kept-settings.js';
import { addBatchOptions, addRequiredOptions } from '../../cli/run-options.js';
import type { Plan } from '../../schemas/records.js';
import { openStore } from '../../storage/open-store.js';
import { ScriptedSupervisor } from '../support/scripted-supervisor.js';

const CHAT = ['--endpoint', '/v1/chat/completions', '--model', 'm'];

let supervisor: ScriptedSupervisor;
beforeEach(async () => {
  supervisor = await ScriptedSupervisor.create();
});
afterEach(() => supervisor.remove());

function given(...args: string[]): string[] {
  const command = addBatchOptions(addRequiredOptions(new Command('run'))).exitOverride();
  return givenSettings(command.parse([...CHAT, ...args], { from: 'user' }));
}

describe('the settings that a command line gives', () => {
  it('are not those that it leaves at their defaults', () => {
    expect(given()).toEqual([]);
  });

  it('are named by their flags, also when they are as the default is', () => {
    expect(given('--max-rounds', '3', '--retry', '--metadata', 'a=b', '--shard-rows', '5')).toEqual([
      '--max-rounds',
      '--shard-rows',
      '--metadata',
      '--retry',
    ]);
  });

  it('are not those that would make another batch of it', () => {
    expect(given('--job-timeout', '48h', '--provider', 'mistral')).toEqual([]);
  });
});

describe('a command that meets a batch', () => {
  async function notes(attached: boolean, flags: readonly string[], shardRows?: number): Promise<string[]> {
    const context = supervisor.context();
    const said: string[] = [];
    context.output.divertNotes((text) => void said.push(text));
    const start = { input: 'rows.jsonl', endpoint: '/v1/chat/completions', model: 'm', shardRows };
    await noteKeptSettings(context, { batchId: 'nightly', attached }, { start, given: flags });
    return said;
  }

  async function plan(maxRows: number): Promise<void> {
    const sha256 = 'a'.repeat(64);
    const record: Plan = {
      version: 1,
      batchId: 'nightly',
      fingerprint: sha256,
      storeId: 'store',
      provider: 'mistral',
      endpoint: '/v1/chat/completions',
      model: 'm',
      jobTimeoutMs: 86_400_000,
      input: { uri: 'file:///rows.jsonl', rows: 9, bytes: 90, sha256 },
      invalid: 0,
      sharding: { maxRows, maxBytes: 1000 },
      shards: [],
    };
    const store = openStore(supervisor.context().storeUri);
    await store.writeSmall(layout.plan('nightly'), JSON.stringify(record));
  }

  it('says which of its settings change nothing', async () => {
    expect(await notes(true, ['--deadline', '--max-jobs'])).toEqual([
      'nightly keeps the settings that it was started with; given now, --deadline, --max-jobs change nothing.',
    ]);
    expect(await notes(true, ['--cleanup'])).toEqual([expect.stringContaining('--cleanup changes nothing.')]);
  });

  it('says nothing of a batch that it has started, nor without settings', async () => {
    expect(await notes(false, ['--deadline'])).toEqual([]);
    expect(await notes(true, [])).toEqual([]);
  });

  it('says of sharding what the plan has, and nothing twice', async () => {
    expect(await notes(true, ['--shard-rows'], 5)).toEqual([
      expect.stringContaining('--shard-rows changes nothing.'),
    ]);
    await plan(7);
    expect(await notes(true, ['--shard-rows'], 5)).toEqual([
      expect.stringContaining('shards of at most 7 rows'),
    ]);
    expect(await notes(true, ['--shard-rows', '--retry'], 7)).toEqual([
      expect.stringContaining('given now, --retry changes nothing.'),
    ]);
  });
});
