import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChaosBatch } from './chaos-batch.js';
import { Hold } from './holds.js';
import type { Keys } from './holds.js';
import type { Place } from './matrix.js';
import { watchFor } from '../support/file-watch.js';

const TEMPORARY = '.tmp-';

/** The moment in a batch's life at which somebody is killed. */
export interface Moment {
  /** Resolves once it was reached and the kill is done. */
  readonly reached: () => Promise<void>;
  /** Lets a request that names the moment go on, or go. */
  readonly letGo: (senderIsDead: boolean) => Promise<void>;
  readonly close: () => void;
}

/** To be called before the batch is started; `kill` is called when the moment is there, without a delay. */
export async function awaitMoment(
  batch: ChaosBatch,
  place: Place,
  keys: Keys,
  kill: () => void,
): Promise<Moment> {
  if (place.kind === 'request') {
    const hold = new Hold(batch.home.emulator, place, keys);
    await hold.arm();
    return {
      reached: async () => {
        await hold.reached();
        kill();
      },
      letGo: (senderIsDead) => hold.letGo(senderIsDead),
      close: () => undefined,
    };
  }
  const path = place.kind === 'writing' ? `${place.folder}/${TEMPORARY}` : place.path;
  const segments = ['home', 'store', batch.id, ...path.split('/')].filter((segment) => segment !== '.');
  const name = segments.pop() ?? '';
  const isWhole = place.kind === 'file';
  const matches = (found: string) => (isWhole ? found === name : found.startsWith(name));
  // What is soon gone: the watch has to be there before its folder has anything.
  if (!isWhole) await mkdir(join(batch.home.folder, ...segments), { recursive: true });
  const { seen, close } = watchFor(batch.home.folder, segments, matches, kill);
  return { reached: () => seen, letGo: () => Promise.resolve(), close };
}
