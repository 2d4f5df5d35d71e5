import type { BatchHandle } from '../client/types.js';
import { embeddedChoice, requireKey } from './context.js';
import type { CliContext, ProviderChoice } from './context.js';
import type { Attended } from './follow.js';
import { openLinkIfRunning } from './link.js';
import type { Link } from './link.js';

/**
 * What a command that goes on with a batch says of key and provider. A worker that runs keeps its key unless the
 * environment names another one: a command without any must not take it away.
 * @throws CliError when no worker runs and there is no key to run one with
 */
export async function choiceToGoOn(context: CliContext): Promise<ProviderChoice> {
  const choice = await embeddedChoice(context);
  if (context.mode === 'configured' || context.config.mistral.apiKey !== null) return choice;
  const running = await openLinkIfRunning(context);
  if (running === null) return requireKey(choice);
  await running.close();
  return { ...choice, apiKey: null };
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
