// `npm run chaos`: the crash matrix of test/chaos/. Its last line on stdout is `N passed, N failed`.
//   --share 1/3   a third of the points; which one, the seed decides
//   --seed TEXT   default: the commit, else release and hash of the sources; it is printed, and kills at random follow from it too
//   --write       writes the table of docs/guarantees.md; not for a share
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commit } from './source-mark.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function options() {
  const { values } = parseArgs({
    options: {
      share: { type: 'string', default: '1/1' },
      seed: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  if (!/^[1-9]\d?\/[1-9]\d?$/.test(values.share))
    throw new Error(`--share is written 1/3; got ${values.share}`);
  if (values.write && values.share !== '1/1') throw new Error('--write takes the whole matrix, not a share');
  return values;
}

function run(args, env = {}) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status ?? 1;
}

function main() {
  const { share, seed, write } = options();
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-chaos-report-'));
  try {
    // Without a seed scripts/test.mjs has one.
    const env = { LONGHAUL_CHAOS_SHARE: share, ...(seed !== undefined && { LONGHAUL_CHAOS_SEED: seed }) };
    process.exitCode = run(['scripts/test.mjs', '--suite', 'chaos', '--report', folder], env);
    if (!write) return;
    if (process.exitCode !== 0) throw new Error('the table is written only when all points are kept');
    const report = join(folder, 'chaos.json');
    process.exitCode = run([
      '--import',
      'tsx',
      'test/chaos/write-table.ts',
      report,
      commit(root) ?? 'unknown',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`npm run chaos: ${error.message}\n`);
  process.exitCode = 2;
}
