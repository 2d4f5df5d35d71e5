import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { Interrupts } from './interrupts.js';
import { LostServer } from './link.js';
import type { Link } from './link.js';

/**
 * Holds the embedded server until Ctrl-C, to which `farewell` is the answer, or until `longhaul stop`.
 * @throws CliError when the server ends for another reason
 */
export async function holdUntilInterrupted(
  { output, config }: CliContext,
  link: Link,
  interrupts: Interrupts,
  farewell = (): Promise<string> => Promise.resolve('Stopping. Open batches go on with the next command.'),
): Promise<ExitCode> {
  const lost = new Promise<void>((resolve) => {
    if (link.lost.aborted) resolve();
    else link.lost.addEventListener('abort', () => resolve(), { once: true });
  });
  // A session's socket lets the process end, and so do signal handlers: something has to hold it.
  const awake = setInterval(() => undefined, 3_600_000);
  await Promise.race([interrupts.pressed, lost]);
  clearInterval(awake);
  if (interrupts.interrupted) {
    output.note(await farewell());
    return EXIT.done;
  }
  const reason: unknown = link.lost.reason;
  if (reason instanceof LostServer && reason.onPurpose) return EXIT.done;
  const message = reason instanceof Error ? reason.message : String(reason);
  const next =
    reason instanceof LostServer && reason.why === 'home-removed'
      ? 'The same `longhaul run` again finds the jobs of batches that were open.'
      : `Open batches go on with the same command again; supervisor.log and temporal.log in ${config.home} say more.`;
  throw new CliError(`The embedded server is gone: ${message}. ${next}`, {
    type: 'EmbeddedServerStopped',
    exitCode: EXIT.failed,
  });
}
