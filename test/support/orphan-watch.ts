import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Vitest's global set-up of every suite: no server, worker or command that a test started outlives the run, even if
 * vitest is killed with SIGKILL. The SDK's test servers would, and so would what a test has detached.
 *
 * What a run starts is known by a folder on its PATH that does not exist: unlike a variable of our own it is handed on
 * even by tests that make up a whole environment, as programs are not found without PATH.
 */
const MARK = '/longhaul-test-run-';

let watch: ChildProcess | undefined;

/** Starts the watch. Suites that run together share the first one's. */
export function setup(): void {
  const path = process.env['PATH'] ?? '';
  if (path.includes(MARK)) return;
  const mark = `${MARK}${randomUUID()}`;
  const reaper = fileURLToPath(new URL('orphan-reaper.ts', import.meta.url));
  watch = spawn(process.execPath, ['--import', 'tsx', reaper, mark], {
    // Where `tsx` is found.
    cwd: dirname(reaper),
    // Ctrl-C ends the whole process group, but not whoever clears up behind it.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  watch.unref();
  process.env['PATH'] = `${path}${delimiter}${mark}`;
}

/** The run has ended in order: what it started gets the time to end as well. */
export function teardown(): void {
  watch?.stdin?.end('done');
}
