import { sayableStack } from '../batch/failure-text.js';

/**
 * What the supervisor's log keeps of a bug of its own. Commands hand it keys, and Node repeats what it refuses: no
 * cause, nothing that is attached, no argument.
 */
export function crashText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'ended by a bug: something else than an error was thrown';
  return `ended by a bug: ${sayableStack(thrown)}`;
}
