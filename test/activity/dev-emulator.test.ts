import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertHomeProviderAnswers } from '../../cli/context.js';
import { emulatorFarewell, openDevEmulator } from '../../cli/dev-emulator.js';
import type { BatchListEntry } from '../../client/types.js';
import { startEmulator } from '../../emulator/index.js';
import { parseConfig } from '../../schemas/config.js';

let home: string;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-dev-emulator-')));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function bindTo(baseUrl: string): Promise<void> {
  return writeFile(join(home, 'home.json'), JSON.stringify({ baseUrl }));
}

async function jobsAt(url: string): Promise<number> {
  return (await fetch(`${url}/v1/batch/jobs`, { headers: { authorization: 'Bearer k' } })).status;
}

describe('the emulator of `longhaul dev`', () => {
  it('has one port for all of a home’s lives', async () => {
    const first = await openDevEmulator(home);
    await bindTo(first.url);
    await first.close();
    const second = await openDevEmulator(home);
    expect(second).toMatchObject({ url: first.url, isOwn: true });
    expect(await jobsAt(second.url)).toBe(200);
    await second.close();
  });

  it('is one for a home: a second `dev` is refused while the first runs', async () => {
    const first = await openDevEmulator(home);
    await bindTo(first.url);
    await expect(openDevEmulator(home)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('`longhaul dev` runs in') as string,
    });
    await first.close();
  });

  it('is the one that the home was last used with, if that runs, and is left running then', async () => {
    const other = await startEmulator();
    await bindTo(`${other.url}/`);
    const used = await openDevEmulator(home);
    expect(used).toMatchObject({ url: other.url, isOwn: false });
    await used.close();
    expect(await jobsAt(other.url)).toBe(200);
    await other.close();
  });

  it('takes another port when something else has its own', async () => {
    const stranger = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const address = stranger.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await bindTo(`http://127.0.0.1:${port}`);
    const emulator = await openDevEmulator(home);
    expect(emulator.isOwn).toBe(true);
    expect(emulator.url).not.toContain(`:${port}`);
    await emulator.close();
    await new Promise((resolve) => stranger.close(resolve));
  });
});

describe('what `longhaul dev` says when its emulator ends', () => {
  const batch = (batchId: string, closedAt: string | null): BatchListEntry => ({
    batchId,
    status: 'RUNNING',
    phase: 'running',
    outcome: null,
    provider: 'mistral',
    model: 'm',
    endpoint: '/v1/embeddings',
    rows: 1,
    rowsFailed: 0,
    startedAt: '2026-11-22T12:00:00.000Z',
    closedAt,
  });
  async function* listed(...batches: BatchListEntry[]): AsyncIterable<BatchListEntry> {
    yield* batches;
  }

  it('names the open batches and what becomes of them', async () => {
    const text = await emulatorFarewell(listed(batch('a', null), batch('b', null), batch('c', '2026-11-22')));
    expect(text).toMatch(/^Stopping\. Open batches: a, b\.\n[^]*lost[^]*--rebuy-lost/);
  });

  it('is nothing more where none is open', async () => {
    expect(await emulatorFarewell(listed(batch('c', '2026-11-22')))).toBe('Stopping.');
  });
});

describe('a command that takes the home’s provider for its own', () => {
  async function asked(baseUrl: string): Promise<unknown> {
    const parsed = parseConfig({ LONGHAUL_HOME: home });
    if (!parsed.ok) throw new Error('the environment is not valid');
    return assertHomeProviderAnswers(parsed, { apiKey: 'emulator', baseUrl }).catch(
      (error: unknown) => error,
    );
  }

  it('says that it is gone, and what to do', async () => {
    const emulator = await startEmulator();
    expect(await asked(emulator.url)).toBeUndefined();
    await emulator.close();
    expect(await asked(emulator.url)).toMatchObject({
      type: 'MissingKey',
      exitCode: 2,
      message: expect.stringMatching(/MISTRAL_API_KEY is not set, and http:.*`longhaul dev`/) as string,
    });
  });

  it('leaves the address that the environment names to the worker', async () => {
    expect(await asked('https://api.mistral.ai')).toBeUndefined();
  });
});
