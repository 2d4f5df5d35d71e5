import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Says of a name in the last folder of a path whether it is the one that is waited for. */
type Matches = (name: string) => boolean;

export interface Sighting {
  /** Resolves once the file is there and `onSeen` was called. */
  readonly seen: Promise<void>;
  close(): void;
}

/**
 * Calls `onSeen` the moment a file appears below `root`, folders on the way to it included that are not there yet. In
 * the same tick: between the file and the SIGSTOP that it calls for there is no await.
 */
export function watchFor(
  root: string,
  folders: readonly string[],
  matches: Matches,
  onSeen: () => void,
): Sighting {
  let close = (): void => undefined;
  let done = false;
  const seen = new Promise<void>((resolve, reject) => {
    const descend = (folder: string, [next, ...rest]: readonly string[]): void => {
      const wanted: Matches = next === undefined ? matches : (name) => name === next;
      const watcher = watch(folder, (_, name) => {
        if (name !== null && wanted(name)) found();
      });
      close = () => watcher.close();
      const found = (): void => {
        // Events that were queued before `close` still arrive.
        if (done || close !== closeThis) return;
        watcher.close();
        if (next !== undefined) return descend(join(folder, next), rest);
        done = true;
        try {
          onSeen();
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      const closeThis = close;
      // It may have come before the watch.
      if (readdirSync(folder).some(wanted)) found();
    };
    descend(root, folders);
  });
  // Whoever waits for it may come later.
  seen.catch(() => undefined);
  return { seen, close: () => close() };
}
