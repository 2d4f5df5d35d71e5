import { findTemporalCli } from './temporal-cli.js';
import { findTestServer } from './test-server.js';
import { messageOf } from './errors.js';

/** Finds or builds both Temporal binaries, so that nothing later has to wait. Prints their paths on stdout. */
async function main(): Promise<void> {
  const options = {
    env: process.env,
    onProgress: (line: string) => void process.stderr.write(`${line}\n`),
  };
  process.stdout.write(`TEMPORAL_CLI_PATH=${await findTemporalCli(options)}\n`);
  process.stdout.write(`TEMPORAL_TEST_SERVER_PATH=${await findTestServer(options)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
