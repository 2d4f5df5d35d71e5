import { expect, vi } from 'vitest';
import type { EmulatorOptions } from '../../emulator/index.js';
import { DevServer } from './dev-server.js';
import { E2eTemporal } from './e2e-temporal.js';
import { Site } from './site.js';
import { Toxiproxy } from './toxiproxy.js';
import type { ToxicLink } from './toxiproxy.js';

/** A site each of whose three connections goes through a link that can be made ill. */
export interface NetworkSite {
  readonly site: Site;
  /** Worker to provider. */
  readonly provider: ToxicLink;
  /** Worker to Temporal. */
  readonly worker: ToxicLink;
  /** Command to Temporal. */
  readonly command: ToxicLink;
  /** Temporal itself, by a way of its own. */
  readonly temporal: E2eTemporal;
  /** Starts a second worker, which reaches Temporal whatever becomes of the first one's link. */
  readonly secondWorker: () => Promise<unknown>;
}

/** A Temporal server and a proxy for all sites of a test file. */
export class Network {
  readonly #server: DevServer;
  readonly #proxy: Toxiproxy;

  private constructor(server: DevServer, proxy: Toxiproxy) {
    this.#server = server;
    this.#proxy = proxy;
  }

  static async start(): Promise<Network> {
    const server = await DevServer.start();
    return new Network(server, await Toxiproxy.start());
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.#server.stop();
  }

  /** A site of its own, with one worker, gone afterwards whatever happened. */
  async withSite<T>(
    namespace: string,
    emulator: EmulatorOptions,
    use: (network: NetworkSite) => Promise<T>,
    env: NodeJS.ProcessEnv = {},
  ): Promise<T> {
    const { address } = this.#server;
    const link = (name: string, to: string) => this.#proxy.link(`${namespace}-${name}`, to);
    const worker = await link('worker', address);
    const command = await link('command', address);
    let provider = worker;
    const site = await Site.create({
      temporal: this.#server,
      namespace,
      emulator,
      env,
      links: async (direct) => {
        provider = await link('provider', new URL(direct.provider).host);
        return {
          worker: worker.address,
          command: command.address,
          provider: `http://${provider.address}`,
        };
      },
    });
    const temporal = await E2eTemporal.connect(address, namespace);
    try {
      await site.startWorker();
      const secondWorker = () => site.startWorker(address);
      return await use({ site, provider, worker, command, temporal, secondWorker });
    } finally {
      await temporal.close();
      await Promise.all([provider, worker, command].map(async (each) => each.heal()));
      await site.remove();
    }
  }
}

/** Returns once an activity of a workflow has failed for such a reason and is to be tried again. */
export async function untilFailed(
  { temporal }: NetworkSite,
  workflowId: string,
  why: RegExp,
  withinMs: number,
): Promise<void> {
  await vi.waitFor(async () => expect(await failuresOf(temporal, workflowId)).toMatch(why), {
    timeout: withinMs,
    interval: 250,
  });
}

/** Of the activities that are pending, their attempts and last failures. */
async function failuresOf(temporal: E2eTemporal, workflowId: string): Promise<string> {
  const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
  const pending = raw.pendingActivities ?? [];
  return pending
    .map(({ activityType, attempt, lastFailure }) => {
      const { message, cause } = lastFailure ?? {};
      return `${activityType?.name} ${attempt}: ${message} ${cause?.message ?? ''}`;
    })
    .join('\n');
}
