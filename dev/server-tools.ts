import { connect } from 'node:net';
import { WORKFLOW_TYPES } from '../batch/wire-names.js';
import { isRecord } from './home.js';
import { LOOPBACK } from './ports.js';
import { lastLines, runCommand } from './run-command.js';

/** What is asked of a running server through the CLI: this room has no Temporal client. */
export interface ServerTools {
  readonly cliPath: string;
  readonly env: NodeJS.ProcessEnv;
  readonly address: string;
  readonly namespace: string;
}

const CALL_TIMEOUT_MS = 10_000;

/** What a program needs of its surroundings. */
const PASSED_ON = /^(?:PATH|TMPDIR|TZ|LANG|LC_.*|USER|LOGNAME|GODEBUG|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK)$/;

/**
 * The environment for the Temporal CLI: no keys of anybody's, and none of the `TEMPORAL_*` variables and files under the
 * user's home from which it would take address, TLS and more, as they are about other servers than the embedded one.
 */
export function temporalEnv(env: NodeJS.ProcessEnv, homeFolder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => PASSED_ON.test(name));
  return { ...Object.fromEntries(kept), HOME: homeFolder, XDG_CONFIG_HOME: homeFolder };
}

/** Keeps closed workflows for 90 days; the dev server's default of one day would forget finished batches. */
export async function setRetention(tools: ServerTools): Promise<void> {
  await callServer(tools, ['operator', 'namespace', 'update', '--retention', '90d']);
}

/** How many batches are open, shards that outlive their batch's workflow included. */
export async function countOpenBatches(tools: ServerTools): Promise<number> {
  const types = Object.values(WORKFLOW_TYPES).map((type) => `'${type}'`);
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN (${types.join(', ')})`;
  const value: unknown = JSON.parse(await callServer(tools, ['workflow', 'count', '--query', query]));
  if (!isRecord(value)) throw new Error('the Temporal CLI printed no count');
  // Protobuf's JSON leaves out a count of zero and writes others as strings.
  const count = Number(value['count'] ?? 0);
  if (!Number.isSafeInteger(count)) throw new Error('the Temporal CLI printed no count');
  return count;
}

async function callServer(tools: ServerTools, args: readonly string[]): Promise<string> {
  const at = ['--address', tools.address, '--namespace', tools.namespace, '--output', 'json'];
  const result = await runCommand(tools.cliPath, [...args, ...at], {
    env: tools.env,
    timeout: CALL_TIMEOUT_MS,
  });
  if (result.code !== 0) {
    throw new Error(`\`temporal ${args.join(' ')}\` failed: ${lastLines(result.stderr, 3)}`);
  }
  return result.stdout;
}

/** Whether something listens on a loopback port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const answer = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
