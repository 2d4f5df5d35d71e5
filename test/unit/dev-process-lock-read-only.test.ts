import { afterAll, expect, it, vi } from 'vitest';

/** On a read-only file system Node 20 says ENOENT, as for a folder just removed, when it is to make folders recursively. */
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  mkdir: (path: string, options?: { readonly recursive?: boolean }) => {
    const code = options?.recursive === true ? 'ENOENT' : 'EROFS';
    return Promise.reject(Object.assign(new Error(`${code}: mkdir '${path}'`), { code, path }));
  },
}));

// The files of a suite share what was loaded.
afterAll(() => vi.resetModules());

it('a lock on a read-only file system is refused, instead of being waited for', async () => {
  vi.resetModules();
  const { tryLock } = await import('../../dev/process-lock.js');
  await expect(tryLock('/home/lock')).rejects.toMatchObject({ code: 'EROFS' });
});
