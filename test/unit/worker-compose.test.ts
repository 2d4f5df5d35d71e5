import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../schemas/config.js';
import { composeDeps } from '../../worker/compose.js';
import { addInputRoot } from '../../worker/input-roots.js';

it('folders that commands of a home took inputs from are open to its embedded worker, and to no other', async () => {
  const home = await mkdtemp(join(tmpdir(), 'longhaul-compose-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const parsed = parseConfig({ LONGHAUL_HOME: home, LONGHAUL_FILE_ROOTS: '/srv/in' });
  if (!parsed.ok) throw new Error('the test has wrong settings');
  await addInputRoot(home, '/home/somebody');
  const rootsOf = async (embedded: boolean) => {
    const deps = composeDeps(parsed.config, { userAgent: 'test', embedded });
    onTestFinished(() => deps.close());
    return deps.fileRoots();
  };
  expect(await rootsOf(true)).toEqual(['/srv/in', '/home/somebody']);
  expect(await rootsOf(false)).toEqual(['/srv/in']);
});
