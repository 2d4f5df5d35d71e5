import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { Interrupts } from './interrupts.js';
import { LostServer } from './link.js';
import type { Link } from './link.js';

/**
 * Holds the embedded server until Ctrl-C, or until `longhaul stop`.
 * @throws CliError when the server is lost otherwise
 */
export async function holdUntilInterrupted(
  { output }: CliContext,
  link: Link,
  interrupts: Interrupts,
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
    output.note('Stopping. Open batches go on with the next command.');
    return EXIT.done;
  }
  const reason: unknown = link.lost.reason;
  if (reason instanceof LostServer && reason.onPurpose) return EXIT.done;
  throw new CliError(
    `The embedded server is gone: ${reason instanceof Error ? reason.message : String(reason)}`,
    {
      type: 'EmbeddedServerStopped',
      exitCode: EXIT.failed,
    },
  );
}
