import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isAlive } from '../../dev/process-identity.js';
import { DevHomes } from '../support/dev-homes.js';

let homes: DevHomes;
beforeEach(async () => {
  homes = await DevHomes.create();
});
afterEach(() => homes.remove());

/** Shell code that holds the calls of one kind until the file `go` is there. */
function hold(kind: 'server' | 'operator'): string {
  return `[ "$1" != ${kind} ] || while [ ! -e '${join(homes.folder, 'go')}' ]; do sleep 0.05; done`;
}

it.each([
  ['before it listens', 'server'],
  ['before it answers', 'operator'],
] as const)('starts a server again that is killed %s', async (_when, held) => {
  const { env, calls } = await homes.watchedCli(hold(held));
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  const kill = async (): Promise<number> => {
    await vi.waitFor(async () => expect((await calls()).join('\n')).toContain(`${held} `), {
      timeout: 30_000,
    });
    const pid = await homes.serverInStart();
    process.kill(pid, 'SIGKILL');
    await writeFile(join(homes.folder, 'go'), '');
    return pid;
  };
  const [session, killed] = await Promise.all([homes.connect({ env, onProgress }), kill()]);
  expect(session.serverPid).not.toBe(killed);
  expect((await fetch(session.uiUrl)).status).toBe(200);
  expect(lines).toContain('Temporal ended while it started (SIGKILL); starting it again');
  expect(isAlive(killed)).toBe(false);
});

async function failingStart(how: string): Promise<{ error: unknown; starts: number }> {
  const { env, calls } = await homes.watchedCli(`[ "$1" != server ] || { echo 'last words' >&2; ${how}; }`);
  const error: unknown = await homes.connect({ env }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(homes.dev.EmbeddedServerError);
  return { error, starts: (await calls()).filter((call) => call.startsWith('server ')).length };
}

it('gives up a server that is killed at every start, and says so', async () => {
  const { error, starts } = await failingStart('kill -9 $$');
  expect(String(error)).toMatch(/killed while it started \(SIGKILL\), 3 times in a row.*temporal\.log$/);
  expect(starts).toBe(3);
});

it('starts a server only once that leaves by itself, and quotes its last words', async () => {
  const { error, starts } = await failingStart('exit 7');
  expect(String(error)).toContain('exit code 7');
  expect(String(error)).toContain('last words');
  expect(starts).toBe(1);
});
