import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findClusterServer, findSqlTool } from '../../dev/cluster-server.js';
import { runCommand } from '../../dev/run-command.js';
import { fixedPorts } from './fixed-ports.js';
import { DATABASE_USER, Postgres } from './postgres.js';
import { Program } from './program.js';
import { ASK_EVERY_MS, createNamespace, isServing, knowsNamespace } from './temporal-calls.js';
import type { TemporalServerUnderTest } from './temporal-calls.js';

const options = {
  env: process.env,
  onProgress: (line: string): void => void process.stderr.write(`${line}\n`),
};
const DATABASES = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;

interface Paths {
  readonly server: string;
  readonly sqlTool: string;
}

/** Temporal's server on PostgreSQL, set up as docker-compose.yml does it: schemas, then namespaces. */
export class Cluster implements TemporalServerUnderTest {
  readonly address: string;
  readonly postgres: Postgres;
  readonly #folder: string;
  readonly #paths: Paths;
  #server: Program | null = null;

  private constructor(folder: string, address: string, postgres: Postgres, paths: Paths) {
    this.#folder = folder;
    this.address = address;
    this.postgres = postgres;
    this.#paths = paths;
  }

  static async start(): Promise<Cluster> {
    const paths = {
      server: await findClusterServer(options),
      sqlTool: await findSqlTool(options),
    };
    const [postgresPort = 0, ...ports] = await fixedPorts(9);
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-cluster-'));
    const postgres = await Postgres.start(postgresPort);
    const cluster = new Cluster(folder, `127.0.0.1:${ports[0] ?? 0}`, postgres, paths);
    try {
      await cluster.#setUpSchemas();
      // JSON is YAML, too.
      await writeFile(join(folder, 'cluster.yaml'), JSON.stringify(serverConfig(postgresPort, ports)));
      await cluster.startServer();
    } catch (error) {
      await cluster.remove();
      throw error;
    }
    return cluster;
  }

  async startServer(): Promise<void> {
    const program = await Program.start({
      file: this.#paths.server,
      args: ['--root', this.#folder, '--config', '.', '--env', 'cluster', '--allow-no-auth', 'start'],
      env: { PATH: process.env['PATH'] },
    });
    this.#server = program;
    await program.ready('the Temporal server serves', () => isServing(this.address), ASK_EVERY_MS);
  }

  /** SIGKILL. */
  async killServer(): Promise<void> {
    await this.#server?.kill();
  }

  async createNamespace(name: string): Promise<void> {
    await createNamespace(this.address, name);
    const known = () => knowsNamespace(this.address, name);
    await this.#server?.ready(`namespace ${name}`, known, ASK_EVERY_MS);
  }

  async remove(): Promise<void> {
    await this.#server?.stop();
    await this.postgres.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #setUpSchemas(): Promise<void> {
    const at = ['--plugin', 'postgres12', '--endpoint', '127.0.0.1', '--port', String(this.postgres.port)];
    for (const [name, database] of Object.entries(DATABASES)) {
      const tool = [...at, '--user', DATABASE_USER, '--password', 'none', '--database', database];
      for (const step of [
        ['create-database'],
        ['setup-schema', '--version', '0.0'],
        ['update-schema', '--schema-name', `postgresql/v12/${name}`],
      ]) {
        const done = await runCommand(this.#paths.sqlTool, [...tool, ...step], { env: { PATH: '' } });
        if (done.code !== 0)
          throw new Error(`${step.join(' ')} of ${database}: ${done.stdout}${done.stderr}`);
      }
    }
  }
}

/** The least that the server takes; everything on loopback. */
function serverConfig(postgresPort: number, ports: readonly number[]): object {
  const service = (n: number) => ({
    rpc: { grpcPort: ports[2 * n], membershipPort: ports[2 * n + 1], bindOnIP: '127.0.0.1' },
  });
  const database = (databaseName: string) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${postgresPort}`,
      connectProtocol: 'tcp',
      user: DATABASE_USER,
      maxConns: 20,
      maxIdleConns: 20,
    },
  });
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: database(DATABASES.temporal), visibility: database(DATABASES.visibility) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: { frontend: service(0), history: service(1), matching: service(2), worker: service(3) },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `127.0.0.1:${ports[0] ?? 0}`,
        },
      },
    },
  };
}
