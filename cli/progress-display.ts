import { createLogUpdate } from 'log-update';
import { rowsDone } from '../batch/progress.js';
import type { BatchProgress } from '../batch/progress.js';
import type { Output } from './output.js';
import { paintFor } from './paint.js';
import { plainLine, renderBlock } from './progress-block.js';
import type { ProgressView, TroubleView } from './progress-block.js';
import { RateMeter } from './rate-meter.js';

/** Shows how a batch advances, until `done`. */
export interface ProgressDisplay {
  show(progress: BatchProgress, trouble: TroubleView | null): void;
  /** Takes a live block away; what follows is written where it stood. */
  done(): void;
}

/** A live block on a terminal, a line at each change elsewhere, nothing when `quiet`. */
export function createProgressDisplay(
  output: Output,
  options: { readonly quiet: boolean; readonly env: NodeJS.ProcessEnv },
): ProgressDisplay {
  if (options.quiet) return { show: () => undefined, done: () => undefined };
  const isLive = output.stderr.isTTY && options.env['TERM'] !== 'dumb';
  return isLive ? liveDisplay(output, options.env) : lineDisplay(output);
}

function liveDisplay(output: Output, env: NodeJS.ProcessEnv): ProgressDisplay {
  const { stderr } = output;
  const update = createLogUpdate(stderr);
  const paint = paintFor(stderr, env);
  const meter = new ViewMeter();
  output.divertNotes((text) => update.persist(text));
  return {
    show: (progress, trouble) => {
      const view = meter.view(progress, trouble);
      // One column less: some terminals break a line that fills the last one.
      update(renderBlock(view, (stderr.columns ?? 80) - 1, paint).join('\n'));
    },
    done: () => {
      update.clear();
      update.done();
      output.divertNotes(null);
    },
  };
}

function lineDisplay(output: Output): ProgressDisplay {
  const meter = new ViewMeter();
  let last: ProgressView | null = null;
  return {
    show: (progress, trouble) => {
      const view = meter.view(progress, trouble);
      const line = plainLine(view, last);
      if (line === null) return;
      last = view;
      output.note(line);
    },
    done: () => undefined,
  };
}

class ViewMeter {
  readonly #rate = new RateMeter();

  view(progress: BatchProgress, trouble: TroubleView | null): ProgressView {
    const done = rowsDone(progress.rows, progress.jobs);
    this.#rate.add(Date.now(), done);
    const leftMs = this.#rate.timeLeft(progress.rows.total - done) ?? leftOf(progress);
    return { progress, trouble, rowsPerSecond: this.#rate.perSecond, leftMs };
  }
}

/** The estimate over the batch's whole life, for as long as this command has seen no row being done. */
function leftOf({ etaAt }: BatchProgress): number | null {
  return etaAt === null ? null : Math.max(0, Date.parse(etaAt) - Date.now());
}
