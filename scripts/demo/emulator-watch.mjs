import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/** What the provider itself knows, asked on routes that are not part of its API and not in its journal. */
export function watchEmulator(url) {
  const ask = async (path, init) => {
    const response = await fetch(`${url}${path}`, init);
    if (!response.ok) throw new Error(`The emulator refuses ${path}: ${await response.text()}`);
    return response.json();
  };

  /** Looks until it holds; `look` may keep what it saw. */
  const waitUntil = async (look, signal) => {
    while (!(await look())) {
      signal.throwIfAborted();
      await sleep(LOOK_EVERY_MS);
    }
  };

  return {
    addRules: (rules) =>
      ask('/_emulator/faults', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rules }),
      }),
    jobs: async () => (await ask('/_emulator/jobs')).jobs,
    waitUntil,
    /** In order of arrival, with what each request changed as `effect`. */
    requests: async () => (await ask('/_emulator/journal')).requests,
  };
}
