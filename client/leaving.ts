import { asError } from './pause.js';

/** Rejects with the signal's reason as soon as that aborts: nobody who has left waits for work that hears no abort. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(asError(signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A signal for one call: gRPC never takes its listeners off, and a batch is watched by thousands of calls. */
export function followed(...signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  stop(): void;
} {
  const controller = new AbortController();
  const stops = signals.map((signal) => {
    const onAbort = () => controller.abort(signal?.reason);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort);
    return () => signal?.removeEventListener('abort', onAbort);
  });
  return { signal: controller.signal, stop: () => stops.forEach((stop) => stop()) };
}
