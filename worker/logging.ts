import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/worker';
import { pino } from 'pino';
import type { Logger } from 'pino';
import type { Config } from '../schemas/config.js';

type Level = Config['logLevel'];

/** JSON lines on stderr. What is logged is ids, counts and failure types; never rows, answers or keys. */
export function createLogger(level: Level): Logger {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters },
    pino.destination(2),
  );
}

const TEMPORAL_LEVELS: { readonly [L in Level]: LogLevel } = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'ERROR',
  silent: 'ERROR',
};

/** Sends the SDK's and the workflows' logs through the same logger; once per process, before any connection. */
export function installTemporalLogging(logger: Logger, level: Level): void {
  const temporal = new DefaultLogger(TEMPORAL_LEVELS[level], ({ level: entryLevel, message, meta }) => {
    if (EXPECTED.test(message)) return;
    logger[pinoMethod(entryLevel)](withoutErrors(meta), message);
  });
  Runtime.install({
    logger: temporal,
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    },
  });
}

/** Said of every worker that serves one of several queues, as ours do. */
const EXPECTED = /^No (activities|workflows|Nexus services) registered, not polling/;

function pinoMethod(level: LogLevel): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  switch (level) {
    case 'TRACE':
      return 'trace';
    case 'DEBUG':
      return 'debug';
    case 'INFO':
      return 'info';
    case 'WARN':
      return 'warn';
    case 'ERROR':
      return 'error';
  }
}

/** An error's cause chain may hold what a provider said of a row; type and message of the failure itself may not. */
function withoutErrors(meta: Record<string | symbol, unknown> | undefined): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(meta ?? {})) {
    safe[key] = value instanceof Error ? { type: typeOf(value), message: value.message } : value;
  }
  return safe;
}

function typeOf(error: Error): string {
  return 'type' in error && typeof error.type === 'string' ? error.type : error.name;
}
