import { expect, vi } from 'vitest';
import type { EmulatorOptions } from '../../emulator/index.js';
import { DevServer } from './dev-server.js';
import { E2eTemporal } from './e2e-temporal.js';
import { fixedPorts } from './fixed-ports.js';
import { Site } from './site.js';
import { Toxiproxy } from './toxiproxy.js';
import type { ToxicLink } from './toxiproxy.js';

/** A site each of whose three connections goes through a link that can be made ill, and what a test runs there. */
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
  /** Id of a batch that nobody has heard of. */
  readonly batch: string;
  /** Workflow id of its only shard. */
  readonly shard: string;
  /** Starts a second worker, which reaches Temporal whatever becomes of the first one's link. */
  readonly secondWorker: () => Promise<unknown>;
}

export interface SiteUse {
  /** Tells one test from the others. */
  readonly name: string;
  readonly emulator: EmulatorOptions;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** False: nothing is to be worked on. */
  readonly worker?: boolean;
}

type Lasting = Omit<NetworkSite, 'batch' | 'shard' | 'secondWorker'>;

/** A Temporal server and a proxy for all sites of a test file. */
export class Network {
  readonly #server: DevServer;
  readonly #proxy: Toxiproxy;
  readonly #idle: Lasting[] = [];

  private constructor(server: DevServer, proxy: Toxiproxy) {
    this.#server = server;
    this.#proxy = proxy;
  }

  static async start(): Promise<Network> {
    const server = await DevServer.start();
    return new Network(server, await Toxiproxy.start());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(remove));
    await this.#proxy.stop();
    await this.#server.stop();
  }

  /**
   * A site for one test, with one worker and an emulator that was asked nothing yet. One that is as good as new after it
   * is lent to the next test; a failure, connections that stay half-open, a second worker or an environment of its own
   * are the end of it.
   */
  async withSite<T>(what: SiteUse, use: (at: NetworkSite) => Promise<T>): Promise<T> {
    const { name, env, worker = true } = what;
    const isUsual = env === undefined && worker;
    const lasting = (isUsual && (await this.#lendIdle(what.emulator))) || (await this.#create(what));
    let again = isUsual;
    const secondWorker = (): Promise<unknown> => {
      again = false;
      return lasting.site.startWorker(this.#server.address);
    };
    let result: T;
    try {
      result = await use({ ...lasting, batch: name, shard: `${name}/shard-00000`, secondWorker });
      await heal(lasting);
    } catch (error) {
      await remove(lasting);
      throw error;
    }
    if (again && linksOf(lasting).every(({ wasHalfOpen }) => !wasHalfOpen)) this.#idle.push(lasting);
    else await remove(lasting);
    return result;
  }

  async #lendIdle(emulator: EmulatorOptions): Promise<Lasting | undefined> {
    const idle = this.#idle.pop();
    await idle?.site.renewEmulator(emulator);
    return idle;
  }

  async #create({ name, emulator, env = {}, worker: works = true }: SiteUse): Promise<Lasting> {
    const { address } = this.#server;
    const link = (to: string, upstream: string) => this.#proxy.link(`${name}-${to}`, upstream);
    const worker = await link('worker', address);
    const command = await link('command', address);
    const [port = 0] = await fixedPorts(1);
    const provider = await link('provider', `127.0.0.1:${port}`);
    const site = await Site.create({
      temporal: this.#server,
      namespace: name,
      emulator: { ...emulator, port },
      env,
      links: {
        worker: worker.address,
        command: command.address,
        provider: `http://${provider.address}`,
      },
    });
    const temporal = await E2eTemporal.connect(address, name);
    const lasting = { site, provider, worker, command, temporal };
    try {
      if (works) await site.startWorker();
    } catch (error) {
      await remove(lasting);
      throw error;
    }
    return lasting;
  }
}

function linksOf({ provider, worker, command }: Lasting): ToxicLink[] {
  return [provider, worker, command];
}

async function heal(lasting: Lasting): Promise<void> {
  for (const link of linksOf(lasting)) {
    await link.up();
    await link.heal();
  }
}

async function remove(lasting: Lasting): Promise<void> {
  await lasting.temporal.close();
  await heal(lasting);
  await lasting.site.remove();
}

/** Returns once an activity of the batch's shard has failed for such a reason and is to be tried again. */
export async function untilFailed(
  { temporal, shard }: NetworkSite,
  why: RegExp,
  withinMs: number,
): Promise<void> {
  await vi.waitFor(async () => expect(await failuresOf(temporal, shard)).toMatch(why), {
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
