import { isRecord } from './home.js';
import { USUAL_TIMING, type SupervisorTiming } from './supervisor-timing.js';

/** The supervisor's only command line argument, as JSON. It is visible to other users: no secrets. */
export interface SupervisorArguments {
  readonly home: string;
  readonly cliPath: string;
  /** Arguments for `process.execPath` that run the worker. */
  readonly workerEntry: readonly string[];
  readonly timing: SupervisorTiming;
}

/** @throws Error if the text is not what `JSON.stringify` made of such arguments. */
export function parseSupervisorArguments(text: string | undefined): SupervisorArguments {
  const value: unknown = JSON.parse(text ?? 'null');
  if (isRecord(value)) {
    const { home, cliPath, workerEntry, timing } = value;
    if (typeof home === 'string' && typeof cliPath === 'string' && isStringList(workerEntry)) {
      return { home, cliPath, workerEntry, timing: parseTiming(timing) };
    }
  }
  throw new Error('this program is started by Longhaul’s commands, not by hand');
}

function parseTiming(value: unknown): SupervisorTiming {
  if (!isRecord(value)) return USUAL_TIMING;
  const pick = (name: keyof SupervisorTiming): number => {
    const milliseconds = value[name];
    return typeof milliseconds === 'number' ? milliseconds : USUAL_TIMING[name];
  };
  return {
    firstCommand: pick('firstCommand'),
    grace: pick('grace'),
    backgroundCheck: pick('backgroundCheck'),
    workerReady: pick('workerReady'),
    workerDrain: pick('workerDrain'),
  };
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
