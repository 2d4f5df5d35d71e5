import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is yes: for what is seen only by asking, such as a history. */
export async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await ask())) {
    if (performance.now() > giveUpAt) throw new Error(`still not so after 20 seconds: ${what}`);
    await delay(10);
  }
}
