import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { allProcesses } from './process-table.js';

/*
 * A process of its own that waits until the test run is over, which closes its stdin however it came, and then ends
 * what has the run's mark in its environment. See orphan-watch.ts.
 */

/** After a run that ended in order: a supervisor drains its worker and stops its server for so long. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** So often in a row nothing must be found: what is killed may just have started something. */
const QUIET_LOOKS = 5;

const mark = process.argv[2] ?? '';
if (mark === '') throw new Error('this program is started by orphan-watch.ts');

const patience = (await text(process.stdin)) === 'done' ? PATIENCE_MS : 0;
const killAfter = Date.now() + patience;
for (let quiet = 0; quiet < QUIET_LOOKS;) {
  const left = allProcesses().filter((found) => found.pid !== process.pid && found.text.includes(mark));
  quiet = left.length === 0 ? quiet + 1 : 0;
  if (Date.now() >= killAfter) for (const { pid } of left) kill(pid);
  await sleep(LOOK_EVERY_MS);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
