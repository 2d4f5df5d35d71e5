import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DevHomes } from '../support/dev-homes.js';
import { watchFor } from '../support/file-watch.js';

let homes: DevHomes;
beforeEach(async () => {
  homes = await DevHomes.create();
});
afterEach(() => homes.remove());

/** SIGKILL of the server that a supervisor has just started. */
function killServer(home: string): void {
  const records = JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as {
    readonly pid: number;
    readonly mark: string;
  }[];
  const server = records.find(({ mark }) => mark.endsWith('temporal.db'));
  expect(server).toBeDefined();
  if (server !== undefined) process.kill(server.pid, 'SIGKILL');
}

it('starts on a new database when Temporal was killed while it made the first one', async () => {
  const folders = homes.home.slice(homes.folder.length + 1).split('/');
  const made = (name: string) => name === 'temporal.db';
  const { seen, close } = watchFor(homes.folder, folders, made, () => killServer(homes.home));
  const first = homes.connect().catch(() => undefined);
  await seen;
  close();
  await first;
  const session = await homes.connect();
  expect((await fetch(session.uiUrl)).status).toBe(200);
  expect(existsSync(join(homes.home, 'temporal.db.new'))).toBe(false);

  // And keeps what it has from then on.
  await homes.startBatch(session, 'kept');
  await homes.dev.stopEmbedded({ home: homes.home });
  expect(await homes.statusOfBatch(await homes.connect(), 'kept')).toBe('RUNNING');
});
