import type { Manifest } from '../batch/manifest.js';
import type { BatchPhase, BatchProgress } from '../batch/progress.js';
import { isGone, RESULTS_GONE } from '../client/no-results.js';
import type { BatchHandle } from '../client/types.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { followBatch } from './follow.js';
import type { Attended, FollowOptions } from './follow.js';
import { Interrupted } from './interrupts.js';
import type { Interrupts } from './interrupts.js';
import { LostServer } from './link.js';
import type { Link } from './link.js';
import { nextSteps } from './next-steps.js';
import { writeOutputFile } from './output-file.js';
import { accountOf } from './batch-account.js';
import { paintFor } from './paint.js';
import { phaseHint } from './phase-hint.js';
import { summaryTable } from './summary-table.js';

export interface AttendOptions extends Pick<FollowOptions, 'until' | 'quiet'> {
  readonly json: boolean;
  /** File that gets a copy of the results. */
  readonly output?: string | undefined;
  readonly interrupts: Interrupts;
  /** A new way to the batch when the embedded server was lost. */
  readonly reopen: () => Promise<Attended>;
}

/** A supervisor that dies again and again would make a command go round in circles. */
const MAX_REOPENINGS = 3;

/**
 * Stays with a batch until it ends, is handed over or Ctrl-C is pressed, and closes the link. What is said and
 * returned is the same for every command that waits.
 */
export async function attendBatch(
  context: CliContext,
  first: Attended,
  options: AttendOptions,
): Promise<ExitCode> {
  const { interrupts } = options;
  let { link, handle } = first;
  let phase: BatchPhase = 'running';
  const until = (progress: BatchProgress): boolean => {
    ({ phase } = progress);
    return options.until?.(progress) === true;
  };
  try {
    for (let reopened = 0; ; reopened += 1) {
      const signal = AbortSignal.any([interrupts.signal, link.lost]);
      try {
        const manifest = await followBatch(context, handle, { ...options, until, signal });
        if (manifest !== null) return await reportEnd(context, { ...options, handle, manifest });
        return await handOver(context, { link, handle }, { json: options.json, phase });
      } catch (error) {
        if (interrupts.interrupted) return await leave(context, { link, handle }, phase);
        if (!link.lost.aborted) throw error;
        assertReopening(link, handle.batchId, reopened);
        context.output.note('The embedded server is gone; starting it again.');
        await link.close();
        try {
          ({ link, handle } = await options.reopen());
        } catch (failed) {
          if (!(failed instanceof Interrupted)) throw failed;
          context.output.note(
            `Interrupted while the server was being started again. Nothing is lost; go on with \`longhaul wait ${handle.batchId}\`.`,
          );
          return EXIT.detached;
        }
      }
    }
  } finally {
    await link.close();
  }
}

/** Lets server and worker go on without this command, and says how to come back. */
async function leave(
  { output }: CliContext,
  { link, handle }: Attended,
  phase: BatchPhase,
): Promise<ExitCode> {
  await link.session?.detach();
  output.note(`Detached: ${whatComes(link, handle.batchId, phase)}`);
  output.note(attachHint(link, handle.batchId));
  return EXIT.detached;
}

/** The end of a batch: the copy of the results first, so that whoever reads the summary finds it. */
export async function reportEnd(
  context: CliContext,
  end: {
    readonly handle: BatchHandle;
    readonly manifest: Manifest;
    readonly json: boolean;
    readonly output?: string | undefined;
  },
): Promise<ExitCode> {
  const { output, env } = context;
  const { handle, manifest, json } = end;
  if (end.output !== undefined && manifest.results !== null) {
    await writeOutputFile(end.output, handle.resultBytes());
  }
  const isLost = isGone(manifest);
  if (json) {
    output.json(manifest);
    if (isLost) output.note(RESULTS_GONE);
  } else {
    const paint = paintFor(output.stderr, env);
    for (const line of summaryTable(manifest, Date.now(), paint)) output.note(line);
    for (const line of nextSteps(manifest, { output: end.output })) output.note(line);
  }
  if (isLost && end.output !== undefined) {
    const message = `${end.output} was not written: batch ${handle.batchId} ended as ${manifest.outcome}, and the store ${context.storeUri} has no results of it. If its worker has another store, set LONGHAUL_STORE to that one.`;
    throw new CliError(message, { type: 'NoResults', exitCode: EXIT.failed });
  }
  return exitCodeOf(manifest.outcome ?? 'failed');
}

async function handOver(
  { output }: CliContext,
  { link, handle }: Attended,
  { json, phase }: { readonly json: boolean; readonly phase: BatchPhase },
): Promise<ExitCode> {
  // First of all: whatever happens to what is printed, the batch goes on.
  await link.session?.detach();
  if (json) output.json(await accountOf(handle));
  output.note(whatComes(link, handle.batchId, phase));
  output.note(attachHint(link, handle.batchId));
  return EXIT.done;
}

/** What becomes of a batch that is left alone. One that waits for a person is not said to go on. */
function whatComes({ session }: Link, batchId: string, phase: BatchPhase): string {
  if (phase === 'paused') return `${batchId} is paused: ${phaseHint(phase, batchId)}.`;
  if (phase === 'waiting-for-auth') return `${batchId} waits: ${phaseHint(phase, batchId)}.`;
  return `${batchId} goes on${session === null ? '' : ' in the background'}.`;
}

function attachHint({ session }: Link, batchId: string): string {
  const wait = `Attach again: longhaul wait ${batchId}`;
  return session === null ? wait : `${wait}\nStop server and worker: longhaul stop`;
}

function assertReopening(link: Link, batchId: string, reopened: number): void {
  const lost: unknown = link.lost.reason;
  const mayBeReopened = !(lost instanceof LostServer) || lost.mayBeReopened;
  if (mayBeReopened && reopened < MAX_REOPENINGS) return;
  const message = lost instanceof Error ? lost.message : String(lost);
  const next =
    lost instanceof LostServer && lost.why === 'home-removed'
      ? 'The same `longhaul run` again finds the jobs at the provider.'
      : `Nothing is lost; go on with \`longhaul wait ${batchId}\`.`;
  throw new CliError(`The embedded server stopped: ${message}. ${next}`, {
    type: 'EmbeddedServerStopped',
    exitCode: EXIT.failed,
  });
}
