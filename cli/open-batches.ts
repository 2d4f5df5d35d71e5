import { runRegistry } from '../client/run-registry.js';
import type { RunRegistry } from '../client/run-registry.js';
import { resolveTarget } from '../client/target.js';
import { Temporal } from '../client/temporal.js';
import type { CliContext } from './context.js';
import { openLink, openLinkIfRunning } from './link.js';
import type { Link } from './link.js';

interface Connection {
  readonly link: Link;
  readonly temporal: Temporal;
  readonly runs: RunRegistry;
}

/**
 * Which batches are open, asked of Temporal as often as need be. Where no server runs no batch does; one that somebody
 * starts meanwhile is asked from then on.
 */
export class OpenBatches {
  readonly #context: CliContext;
  #connection: Connection | null = null;

  constructor(context: CliContext) {
    this.#context = context;
  }

  /** `startServer`: an embedded server is started if none runs. */
  async all(startServer: boolean): Promise<ReadonlySet<string>> {
    const connection = await this.#connect(startServer);
    const open = new Set<string>();
    if (connection === null) return open;
    for await (const { batchId, closedAt } of connection.link.longhaul.list()) {
      if (closedAt === null) open.add(batchId);
    }
    return open;
  }

  async isOpen(batchId: string): Promise<boolean> {
    return (await this.#connect(false))?.runs.isOpen(batchId) ?? false;
  }

  async close(): Promise<void> {
    await this.#connection?.temporal.close();
    await this.#connection?.link.close();
  }

  async #connect(startServer: boolean): Promise<Connection | null> {
    if (this.#connection !== null) return this.#connection;
    const context = this.#context;
    const link = startServer ? await openLink(context, { need: 'none' }) : await openLinkIfRunning(context);
    if (link === null) return null;
    try {
      const { session } = link;
      const embedded = session === null ? {} : { address: session.address, namespace: session.namespace };
      const temporal = new Temporal(await resolveTarget(embedded, context.config.home));
      this.#connection = { link, temporal, runs: runRegistry(temporal) };
      return this.#connection;
    } catch (error) {
      await link.close();
      throw error;
    }
  }
}
