import { expect } from 'vitest';
import { questions } from './e2e-rows.js';
import type { Network, NetworkSite } from './network.js';

export const ROWS = questions(60);
const EMULATOR = { jobSeconds: 1, seed: 7 };

/** What a batch gives on a network without faults. */
export function undisturbedResults(network: Network): Promise<Buffer> {
  return network.withSite({ name: 'undisturbed', emulator: EMULATOR }, async ({ site, batch }) => {
    await site.run(await site.writeRows('rows.jsonl', ROWS), batch).exits(0);
    return site.results(batch);
  });
}

/** A fault of the provider, which makes room for a fault of the network. */
export type Rule = Readonly<Record<string, unknown>>;

export interface Disturbance {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly env?: NodeJS.ProcessEnv;
  /** Makes the network ill and healthy again while the batch runs. */
  readonly trouble: (at: NetworkSite) => Promise<void>;
}

/** Runs a batch over a network that falls ill, and sees that it ends as ever, nothing having been sent twice. */
export function endsAsEver(network: Network, undisturbed: Buffer, what: Disturbance): Promise<void> {
  const { name, env } = what;
  const through = async (at: NetworkSite): Promise<void> => {
    const { site } = at;
    const input = await site.writeRows('rows.jsonl', ROWS);
    if (what.rules.length > 0) await site.emulator.setFaults(...what.rules);
    const command = site.run(input, at.batch);
    await what.trouble(at);
    await command.exits(0);
    await expectSameEnd(at, undisturbed);
  };
  return network.withSite({ name, env, emulator: EMULATOR }, through);
}

export async function expectSameEnd({ site, batch }: NetworkSite, undisturbed: Buffer): Promise<void> {
  expect((await site.results(batch)).equals(undisturbed)).toBe(true);
  expect(await site.emulator.effects('createJob')).toBe(1);
  expect(await site.emulator.effects('uploadFile')).toBe(1);
  expect(await site.manifest(batch)).toMatchObject({
    outcome: 'succeeded',
    rows: { total: ROWS.length, succeeded: ROWS.length },
    jobs: [{ round: 1, status: 'SUCCESS' }],
  });
  await site.expectNoTempFiles();
}

/** The first request of the route waits at the provider, before or after its effect. */
export function held(route: string, when: 'before' | 'after'): Rule {
  return { route, nth: 1, fault: { type: 'hold', when, ifAborted: 'drop' } };
}

/** Once the request waits, the network falls ill; then the request goes on. */
export async function whileHeld(
  { site: { emulator } }: NetworkSite,
  route: string,
  when: 'before' | 'after',
  makeIll: () => Promise<void>,
): Promise<void> {
  await emulator.waitFor(route, { until: when === 'before' ? 'received' : 'effect' });
  await makeIll();
  await emulator.release();
}
