import { tmpdir } from 'node:os';
import { runCommand } from '../../dev/run-command.js';
import type { CommandResult } from '../../dev/run-command.js';
import { temporalCliPath } from './servers.js';

/** Between two questions to a server: each is a process. */
export const ASK_EVERY_MS = 400;

/** A Temporal server, as far as it can be spoken to. */
export interface TemporalServerUnderTest {
  readonly address: string;
  createNamespace(name: string): Promise<void>;
}

/** `temporal …` against a server, without anybody's own configuration. */
async function askTemporal(address: string, ...args: string[]): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], HOME: tmpdir(), TEMPORAL_CONFIG_FILE: '/dev/null' };
  return runCommand(await temporalCliPath(), [...args, '--address', address], { env, timeout: 10_000 });
}

export async function isServing(address: string): Promise<boolean> {
  const { code, stdout } = await askTemporal(address, 'operator', 'cluster', 'health');
  return code === 0 && stdout.includes('SERVING');
}

export async function createNamespace(address: string, name: string): Promise<void> {
  const create = ['operator', 'namespace', 'create', '--namespace', name, '--retention', '90d'];
  const made = await askTemporal(address, ...create);
  if (made.code !== 0) throw new Error(`no namespace ${name}: ${made.stderr}`);
}

/** The frontend looks for new namespaces every now and then. */
export async function knowsNamespace(address: string, name: string): Promise<boolean> {
  return (await askTemporal(address, 'workflow', 'list', '--namespace', name)).code === 0;
}
