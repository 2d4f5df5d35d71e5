import type { BatchHandle } from '../client/types.js';
import { assertHomeProviderAnswers, embeddedChoice, requireKey } from './context.js';
import type { CliContext, ProviderChoice } from './context.js';
import type { Attended } from './follow.js';
import { openLink, openLinkIfRunning } from './link.js';
import type { Link } from './link.js';

/**
 * What a command that goes on with a batch says of key and provider. A worker that runs keeps its key unless the
 * environment names another one: a command without any must not take it away.
 * @throws CliError when the home has no key, and the environment none either; or when its emulator is gone
 */
export async function choiceToGoOn(context: CliContext): Promise<ProviderChoice> {
  const choice = await embeddedChoice(context);
  if (context.mode === 'configured' || context.config.mistral.apiKey !== null) return choice;
  await assertHomeProviderAnswers(context, choice);
  const running = await openLinkIfRunning(context);
  if (running === null) return requireKey(choice);
  // A server alone, such as `status` leaves behind for a moment, has no key that a full worker could be run with.
  const hasKey = running.session?.hasKey === true;
  await running.close();
  return hasKey ? { ...choice, apiKey: null } : requireKey(choice);
}

/**
 * A batch for a command that goes on with it. The key is looked for anew each time: a server that was lost took its own
 * along.
 */
export async function attachToGoOn(
  context: CliContext,
  batchId: string,
  signal: AbortSignal,
): Promise<Attended> {
  const choice = await choiceToGoOn(context);
  return attachOn(await openLink(context, { need: 'full', choice, signal }), batchId);
}

/** A batch over a link of its own, which is given back when there is no such batch. */
export async function attachOn(link: Link, batchId: string): Promise<Attended> {
  try {
    return { link, handle: await link.longhaul.attach(batchId) };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/**
 * A batch as the store alone knows it, when no server of the home runs; null when it takes a server to know more.
 * Nothing is started for what is finished.
 */
export async function useFinished<T>(
  context: CliContext,
  batchId: string,
  use: (handle: BatchHandle) => Promise<T>,
): Promise<T | null> {
  if (context.mode === 'configured') return null;
  const running = await openLinkIfRunning(context);
  if (running !== null) {
    await running.close();
    return null;
  }
  const { findStoredBatch } = await import('../client/finished-batch.js');
  const handle = await findStoredBatch(context.storeUri, batchId);
  return handle === null ? null : use(handle);
}
