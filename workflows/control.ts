import { condition, setHandler, sleep } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { cancelRequestProblem, parseCancelRequest, withCancel } from '../batch/control.js';
import type { CancelRequest, CancelState, ControlState } from '../batch/control.js';
import * as messages from './messages.js';

/**
 * What people and the clock ask of a running workflow, gathered in one place: handlers only note it, the main
 * sequence acts on it at its next await.
 */
export class Control {
  state: ControlState;
  pollNow = false;
  /** Counts `resume`, so that a wait ends by one that comes after it began. */
  resumes = 0;
  deadlinePassed = false;
  stopSince: number | null = null;
  /** The stop has lasted so long that what can't be reached is left behind. */
  patienceOver = false;
  readonly #changed: () => void;

  constructor(initial: ControlState, changed: () => void = () => undefined) {
    this.state = initial;
    this.#changed = changed;
  }

  /** Registers the handlers; before the first await, so that no message is missed. */
  listen(): void {
    setHandler(messages.cancelSignal, (request) => this.cancel(parseCancelRequest(request), 'message'));
    setHandler(messages.pauseSignal, () => this.pause());
    setHandler(messages.resumeSignal, () => this.resume());
    setHandler(messages.pollNowSignal, () => this.poll());
    setHandler(messages.cancelUpdate, (request) => this.cancel(parseCancelRequest(request), 'message'), {
      validator: (request) => {
        const problem = cancelRequestProblem(request);
        if (problem !== null) throw ApplicationFailure.nonRetryable(problem, 'InvalidInput');
      },
    });
    setHandler(messages.pauseUpdate, () => this.pause());
    setHandler(messages.resumeUpdate, () => this.resume());
    setHandler(messages.pollNowUpdate, () => this.poll());
  }

  /** One timer per run; what waits on `stopping` hears of it. */
  watchDeadline(deadlineAt: number): void {
    const left = deadlineAt - Date.now();
    if (left <= 0) {
      this.deadlinePassed = true;
      return;
    }
    sleep(left, { summary: 'deadline of the batch' }).then(
      () => {
        this.deadlinePassed = true;
        this.#changed();
      },
      () => undefined,
    );
  }

  /** Bounds how long a stop may wait for a provider that can't be reached. */
  async watchStop(patienceMs: number): Promise<void> {
    await condition(() => this.stopping);
    this.stopSince ??= Date.now();
    await sleep(Math.max(1, this.stopSince + patienceMs - Date.now()), { summary: 'patience of a cancel' });
    this.patienceOver = true;
  }

  cancel(request: CancelRequest, via: CancelState['via']): void {
    const next = withCancel(this.state, request, via);
    if (next === this.state) return;
    this.state = next;
    this.#changed();
  }

  pause(): void {
    if (this.state.paused) return;
    this.state = { ...this.state, paused: true };
    this.#changed();
  }

  resume(): void {
    this.resumes += 1;
    this.state = { ...this.state, paused: false };
    this.#changed();
  }

  poll(): void {
    this.pollNow = true;
    this.#changed();
  }

  /** No new work may be begun. */
  get stopping(): boolean {
    return this.state.cancel !== null || this.deadlinePassed;
  }

  get discarding(): boolean {
    return this.state.cancel?.mode === 'discard';
  }

  async whilePaused(): Promise<void> {
    await condition(() => !this.state.paused || this.stopping);
  }
}
