import type { FindOptions } from './binary-cache.js';
import { findClusterServer, findSqlTool } from './cluster-server.js';
import { messageOf } from './errors.js';
import { findTemporalCli } from './temporal-cli.js';
import { findTestServer } from './test-server.js';
import { findToxiproxy } from './toxiproxy.js';

/** By the variable that names the binary. */
const FINDERS = new Map<string, (options: FindOptions) => Promise<string>>([
  ['TEMPORAL_CLI_PATH', findTemporalCli],
  ['TEMPORAL_TEST_SERVER_PATH', findTestServer],
  ['TOXIPROXY_PATH', findToxiproxy],
  ['TEMPORAL_SERVER_PATH', findClusterServer],
  ['TEMPORAL_SQL_TOOL_PATH', findSqlTool],
]);

/**
 * Finds or builds the programs that tests need, so that nothing later has to wait; those named by their variables, or
 * all. Prints their paths on stdout. One that can't be had does not keep the others from being built.
 */
async function main(names: readonly string[]): Promise<void> {
  const options = {
    env: process.env,
    onProgress: (line: string) => void process.stderr.write(`${line}\n`),
  };
  const wanted = names.length === 0 ? [...FINDERS.keys()] : names;
  const searches = wanted.map(async (name) => {
    const find = FINDERS.get(name);
    if (find === undefined)
      throw new Error(`no program ${name}; there are ${[...FINDERS.keys()].join(', ')}`);
    return `${name}=${await find(options)}\n`;
  });
  for (const found of await Promise.allSettled(searches)) {
    if (found.status === 'fulfilled') process.stdout.write(found.value);
    else {
      process.stderr.write(`${messageOf(found.reason)}\n`);
      process.exitCode = 1;
    }
  }
}

void main(process.argv.slice(2));
