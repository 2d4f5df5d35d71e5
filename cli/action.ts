import { loadContext } from './context.js';
import type { CliContext } from './context.js';
import type { ExitCode } from './exit-codes.js';

/** Wraps what a command does for commander: reads the environment first, keeps the exit code. */
export function action<Args extends unknown[]>(
  work: (context: CliContext, ...args: Args) => Promise<ExitCode>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    process.exitCode = await work(await loadContext(), ...args);
  };
}
