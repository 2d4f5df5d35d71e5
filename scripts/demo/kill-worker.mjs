import { ANNOUNCE_AT_ROWS, KILL_AT_ROWS, SHARDS } from './setting.mjs';

/**
 * Kills the worker process of the home in the middle of the provider's jobs, and waits until another one has taken over
 * and asked the provider for the first time. The supervisor that keeps the worker is connected to as by any other
 * command; it says which process the worker is.
 */
export async function killWorker({ home, provider, narrator, env, signal, connectIfRunning }) {
  let rows = 0;
  // In the middle of all jobs: a create that is cut short would be waited out for minutes.
  const waitForRows = (count) =>
    provider.waitUntil(async () => {
      const jobs = await provider.jobs();
      rows = rowsAnswered(jobs);
      return (
        rows >= count && jobs.filter(({ completed_requests }) => completed_requests > 0).length === SHARDS
      );
    }, signal);

  await waitForRows(ANNOUNCE_AT_ROWS);
  const session = await connectIfRunning({ home, settings: {}, env, onProgress: () => undefined, signal });
  if (session?.workerPid === undefined) throw new Error('There is no worker to kill.');
  const { workerPid } = session;
  try {
    narrator.caption(
      () => `Next, at ${KILL_AT_ROWS} rows: kill -9 ${workerPid}, the worker. The provider has ${rows} now.`,
    );
    await waitForRows(KILL_AT_ROWS);
    narrator.uncaption();
    const restarted = restartOf(session, signal);
    // Awaited below; until then a command that ends too early must not be an unhandled rejection.
    restarted.catch(() => undefined);
    const rowsAtDeath = rows;
    const seconds = stopwatch();
    process.kill(workerPid, 'SIGKILL');
    const { length } = await provider.requests();
    const newPid = await restarted;
    const secondsToRestart = seconds();
    await provider.waitUntil(async () => (await provider.requests()).length > length, signal);
    const secondsToRequest = seconds();
    const rowsAtRequest = rowsAnswered(await provider.jobs());
    return { workerPid, newPid, secondsToRestart, secondsToRequest, rowsAtDeath, rowsAtRequest };
  } finally {
    narrator.uncaption();
    await session.close();
  }
}

function rowsAnswered(jobs) {
  return jobs.reduce((sum, { completed_requests }) => sum + completed_requests, 0);
}

function stopwatch() {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

/** The process id of the worker that comes next. */
function restartOf(session, signal) {
  return new Promise((resolve, reject) => {
    session.onEvent((event) => {
      if (event.type === 'worker-restarted') resolve(event.pid);
      if (event.type === 'lost') reject(new Error(event.message));
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
