import { loadTemporalConfig } from '../client/target.js';
import { describeProblems } from '../schemas/problems.js';
import { parseConfig } from '../schemas/config.js';
import { createLogger, installTemporalLogging } from './logging.js';
import { dieQuietly, forgetSecrets } from './crash.js';
import { nativeOptions } from './connect.js';
import { createLonghaulWorker } from './longhaul-worker.js';

/*
 * The worker as a process: `longhaul worker`, containers, and the supervisor of an embedded home, which talks to it over
 * IPC: `ready` when it polls, `failed` before it gives up. It leaves when that channel closes, so that no worker
 * outlives its supervisor, and drains on SIGTERM and SIGINT.
 */

function tell(
  message: { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string },
): void {
  if (process.connected) process.send?.(message);
}

function fail(message: string): never {
  tell({ type: 'failed', message });
  process.stderr.write(`longhaul worker: ${message}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  // Before the first await: a supervisor that dies during the start must not leave a worker behind.
  let leave = (): void => process.exit(0);
  process.on('disconnect', () => leave());
  const parsed = parseConfig(process.env);
  if (!parsed.ok) fail(describeProblems(parsed.problems));
  const { config } = parsed;
  const logger = createLogger(config.logLevel);
  installTemporalLogging(logger, config.logLevel);
  const temporal = loadTemporalConfig();
  const connection = nativeOptions(temporal);
  const namespace = temporal.namespace ?? 'default';
  forgetSecrets();
  const role = process.env['LONGHAUL_WORKER_ROLE'] === 'workflow-only' ? 'workflow-only' : 'full';
  const worker = await createLonghaulWorker({
    config,
    connection,
    namespace,
    role,
    embedded: process.connected,
  });
  // The SDK shuts workers down on SIGINT and SIGTERM by itself.
  leave = () => worker.shutdown();
  const running = worker.run();
  tell({ type: 'ready' });
  logger.info({ namespace, address: connection.address, role }, 'worker is polling');
  await running;
}

dieQuietly('longhaul worker', 1);
main().then(
  () => process.exit(0),
  (error: unknown) => fail(error instanceof Error ? error.message : String(error)),
);
