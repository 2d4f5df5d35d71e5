import type { Store } from '../../storage/store.js';

export type StoreCall = Exclude<keyof Store, 'uri' | 'uriOf'>;

type Hook = (call: StoreCall, path: string) => void | Promise<void>;

/** A store that waits for `before` ahead of each call and for `after` behind each write; what they throw, it throws. */
export function hookedStore(store: Store, before: Hook, after: Hook = () => undefined): Store {
  return {
    uri: store.uri,
    uriOf: (path) => store.uriOf(path),
    identity: async () => {
      await before('identity', '');
      return store.identity();
    },
    stat: async (path) => {
      await before('stat', path);
      return store.stat(path);
    },
    read: async function* (path, range) {
      await before('read', path);
      yield* store.read(path, range);
    },
    readSmall: async (path) => {
      await before('readSmall', path);
      return store.readSmall(path);
    },
    openWriter: async (path, options) => {
      await before('openWriter', path);
      return store.openWriter(path, options);
    },
    writeSmall: async (path, content, options) => {
      await before('writeSmall', path);
      const written = await store.writeSmall(path, content, options);
      await after('writeSmall', path);
      return written;
    },
    list: async function* (prefix) {
      await before('list', prefix);
      yield* store.list(prefix);
    },
    remove: async (path) => {
      await before('remove', path);
      return store.remove(path);
    },
    move: async (path, to) => {
      await before('move', path);
      const isMoved = await store.move(path, to);
      await after('move', path);
      return isMoved;
    },
    removeUnfinished: async (prefix) => {
      await before('removeUnfinished', prefix);
      return store.removeUnfinished(prefix);
    },
  };
}
