import type { FindOptions } from './binary-cache.js';
import { findClusterServer, findSqlTool } from './cluster-server.js';
import { messageOf } from './errors.js';
import { findTemporalCli } from './temporal-cli.js';
import { findTestServer } from './test-server.js';
import { findToxiproxy } from './toxiproxy.js';

type Find = (options: FindOptions) => Promise<string>;

/**
 * By the variables that name the binaries. Lanes run at the same time. Temporal's own are in one: they are made of the
 * same packages, which Go compiles once for builds that follow each other (measured: five minutes for the CLI with
 * nothing cached, then ten seconds for the server and five for the SQL tool), and twice for builds at the same time.
 */
const LANES: readonly (readonly (readonly [string, Find])[])[] = [
  [
    ['TEMPORAL_CLI_PATH', findTemporalCli],
    ['TEMPORAL_SERVER_PATH', findClusterServer],
    ['TEMPORAL_SQL_TOOL_PATH', findSqlTool],
  ],
  [['TEMPORAL_TEST_SERVER_PATH', findTestServer]],
  [['TOXIPROXY_PATH', findToxiproxy]],
];

/**
 * Finds or builds the programs that tests need, so that nothing later has to wait; those named by their variables, or
 * all. Prints their paths on stdout. One that can't be had does not keep the others from being built.
 */
async function main(names: readonly string[]): Promise<void> {
  const known = LANES.flat().map(([name]) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) fail(`no program ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);
  await Promise.all(LANES.map((lane) => findInTurn(lane.filter(([name]) => isWanted(name)))));
}

async function findInTurn(lane: readonly (readonly [string, Find])[]): Promise<void> {
  const options = {
    env: process.env,
    onProgress: (line: string) => void process.stderr.write(`${line}\n`),
  };
  for (const [name, find] of lane) {
    try {
      process.stdout.write(`${name}=${await find(options)}\n`);
    } catch (error) {
      fail(messageOf(error));
    }
  }
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

void main(process.argv.slice(2));
