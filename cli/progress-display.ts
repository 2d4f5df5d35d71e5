import type { BatchProgress } from '../batch/progress.js';
import type { Output } from './output.js';
import { paintFor } from './paint.js';
import { plainLine, renderBlock, troubleLine } from './progress-block.js';
import type { ProgressView } from './progress-block.js';
import { RateMeter } from './rate-meter.js';
import type { TroubleWords } from './trouble-words.js';

/** Shows how a batch advances, until `done`. */
export interface ProgressDisplay {
  show(progress: BatchProgress, trouble: TroubleWords | null): void;
  /** Takes a live block away; what follows is written where it stood. */
  done(): void;
}

/** A live block on a terminal, a line at each change elsewhere; when `quiet`, a line for what stops the batch. */
export async function createProgressDisplay(
  output: Output,
  options: { readonly quiet: boolean; readonly env: NodeJS.ProcessEnv },
): Promise<ProgressDisplay> {
  if (options.quiet) return lineDisplay(output, troubleLine);
  const isLive = output.stderr.isTTY && options.env['TERM'] !== 'dumb';
  return isLive ? liveDisplay(output, options.env) : lineDisplay(output, plainLine);
}

/** What draws the block takes a twentieth of a command's start to load: only a terminal needs it. */
async function liveDisplay(output: Output, env: NodeJS.ProcessEnv): Promise<ProgressDisplay> {
  const { createLogUpdate } = await import('log-update');
  const { stderr } = output;
  const update = createLogUpdate(stderr);
  const paint = paintFor(stderr, env);
  const meter = new ViewMeter();
  let view: ProgressView | null = null;
  const draw = (): void => {
    // One column less: some terminals break a line that fills the last one.
    if (view !== null) update(renderBlock(view, (stderr.columns ?? 80) - 1, paint).join('\n'));
  };
  output.divertNotes((text) => {
    update.clear();
    // Not by log-update, which would break an address that is longer than a line.
    stderr.write(`${text}\n`);
    draw();
  });
  stderr.on('resize', draw);
  return {
    show: (progress, trouble) => {
      view = meter.view(progress, trouble);
      draw();
    },
    done: () => {
      stderr.off('resize', draw);
      update.clear();
      update.done();
      output.divertNotes(null);
    },
  };
}

function lineDisplay(output: Output, lineOf: typeof plainLine): ProgressDisplay {
  const meter = new ViewMeter();
  let last: ProgressView | null = null;
  return {
    show: (progress, trouble) => {
      const view = meter.view(progress, trouble);
      const line = lineOf(view, last);
      if (line === null) return;
      last = view;
      output.note(line);
    },
    done: () => undefined,
  };
}

class ViewMeter {
  readonly #rate = new RateMeter();
  #rowsDone = 0;

  view(given: BatchProgress, trouble: TroubleWords | null): ProgressView {
    // What a provider counts in a running job may turn out to be less: a person is not shown a step back.
    this.#rowsDone = Math.max(this.#rowsDone, given.rowsDone);
    const progress = { ...given, rowsDone: this.#rowsDone };
    this.#rate.add(Date.now(), progress.rowsDone);
    const leftMs = this.#rate.timeLeft(progress.rows.total - progress.rowsDone) ?? leftOf(progress);
    return { progress, trouble, rowsPerSecond: this.#rate.perSecond, leftMs };
  }
}

/** The estimate over the batch's whole life, for as long as this command has seen no row being done. */
function leftOf({ etaAt }: BatchProgress): number | null {
  return etaAt === null ? null : Math.max(0, Date.parse(etaAt) - Date.now());
}
