// `npm test`: builds, then runs the suites, some side by side; a failing one does not keep the next from running.
// Its last line on stdout is `N passed, N failed`. Usage: npm test -- [--suite unit,activity] [--report folder] [filter…]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commit, sourceMark } from './source-mark.mjs';
import { closingLine, tallySuite } from './suite-tally.mjs';

const SUITES = ['unit', 'activity', 'workflow', 'replay', 'e2e', 'cluster', 'chaos'];
/**
 * What runs at the same time: none of the first three suites keeps two cores busy, and the workflow tests wait for their server a
 * third of the time. The others start servers and processes by the dozen, and have the machine for themselves.
 */
const STAGES = [[['unit', 'activity', 'replay'], ['workflow']], [['e2e']], [['cluster']], [['chaos']]];
/** Run when asked for by name: one needs PostgreSQL, which only root can install, the other takes long (`npm run chaos`). */
const ON_REQUEST = new Set(['cluster', 'chaos']);
/** The programs that suites need, by the variables that name them. */
const PROGRAMS = {
  workflow: ['TEMPORAL_CLI_PATH', 'TEMPORAL_TEST_SERVER_PATH'],
  replay: ['TEMPORAL_CLI_PATH', 'TEMPORAL_TEST_SERVER_PATH'],
  e2e: ['TEMPORAL_CLI_PATH', 'TEMPORAL_TEST_SERVER_PATH', 'TOXIPROXY_PATH'],
  cluster: ['TEMPORAL_CLI_PATH', 'TEMPORAL_SERVER_PATH', 'TEMPORAL_SQL_TOOL_PATH'],
  chaos: ['TEMPORAL_CLI_PATH'],
};

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs');

function chosenSuites() {
  const { values, positionals } = parseArgs({
    options: { suite: { type: 'string', multiple: true, default: [] }, report: { type: 'string' } },
    allowPositionals: true,
  });
  const names = values.suite.flatMap((value) => value.split(','));
  const unknown = names.filter((name) => !SUITES.includes(name));
  if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}`);
  const isChosen = (name) => (names.length === 0 ? !ON_REQUEST.has(name) : names.includes(name));
  return { suites: SUITES.filter(isChosen), positionals, report: values.report };
}

/** Runs a step that the suites rest on. */
function prepare(title, args) {
  // Its output is not the result of the tests: stdout is for that.
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error === undefined && status === 0) return [];
  return [{ passed: 0, failed: 1, notes: [`${title} failed`] }];
}

function preparePrograms(suites) {
  const programs = new Set(suites.flatMap((suite) => PROGRAMS[suite] ?? []));
  if (programs.size === 0) return [];
  return prepare('finding or building the servers', ['dist/dev/prepare-binaries.js', ...programs]);
}

async function runSuite(suite, filters, folder) {
  const reports = join(folder, suite);
  const begun = performance.now();
  const child = spawn(process.execPath, [vitest, 'run', '--project', suite, ...filters], {
    cwd: root,
    // The reports make vitest.config.ts write the two files below.
    env: {
      ...(suite === 'chaos' && { LONGHAUL_CHAOS_SEED: commit(root) ?? sourceMark(root) }),
      ...process.env,
      LONGHAUL_TEST_REPORTS: reports,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [status, signal] = await once(child, 'close');
  const unhandled = readReport(`${reports}-unhandled.json`) ?? [];
  const tally = tallySuite(readReport(`${reports}.json`), status, unhandled);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  return { suite, seconds, interrupted: signal === 'SIGINT' || status === 130, ...tally };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Vitest's reports are kept in the folder `report`, if one is given. */
async function runSuites({ suites, positionals, report }) {
  const folder = report ?? mkdtempSync(join(tmpdir(), 'longhaul-test-'));
  const results = [];
  const isOver = () => results.some(({ interrupted }) => interrupted);
  const runLane = async (lane) => {
    for (const suite of lane) {
      if (suites.includes(suite) && !isOver()) results.push(await runSuite(suite, positionals, folder));
    }
  };
  try {
    for (const lanes of STAGES) await Promise.all(lanes.map(runLane));
  } finally {
    if (report === undefined) rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write('\n');
  const inOrder = results.toSorted((a, b) => SUITES.indexOf(a.suite) - SUITES.indexOf(b.suite));
  for (const { suite, seconds, passed, failed, notes } of inOrder) {
    process.stdout.write(`${suite.padEnd(9)} ${passed} ok, ${failed} not ok, ${seconds} s\n`);
    for (const note of notes) process.stdout.write(`${''.padEnd(9)} ${note}\n`);
  }
  return results;
}

async function main() {
  // Ctrl-C reaches the suites by themselves; what they came to is told nevertheless.
  process.on('SIGINT', () => undefined);
  const chosen = chosenSuites();
  const built = prepare('the build', ['scripts/build.mjs', '--if-stale']);
  const isBuilt = built.length === 0;
  // Tests that miss a program fail by themselves; the others tell something all the same.
  const prepared = isBuilt ? preparePrograms(chosen.suites) : [];
  const results = isBuilt ? await runSuites(chosen) : [];
  for (const { notes } of [...built, ...prepared]) process.stdout.write(`${notes.join('\n')}\n`);
  const tallies = [...built, ...prepared, ...results];
  process.stdout.write(`${closingLine(tallies)}\n`);
  process.exitCode = tallies.some(({ failed }) => failed > 0) ? 1 : 0;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`npm test: ${error.message}\n`);
  process.exitCode = 2;
}
