import { findTemporalCli } from '../../dev/temporal-cli.js';
import { findTestServer } from '../../dev/test-server.js';

const options = {
  env: process.env,
  onProgress: (line: string): void => void process.stderr.write(`${line}\n`),
};

let cli: Promise<string> | undefined;
let testServer: Promise<string> | undefined;

/** Path of the Temporal CLI. Looked up once per process; the cache makes later processes quick. */
export function temporalCliPath(): Promise<string> {
  cli ??= findTemporalCli(options);
  return cli;
}

/** Path of the time-skipping test server, for `TestWorkflowEnvironment.createTimeSkipping`. */
export function testServerPath(): Promise<string> {
  testServer ??= findTestServer(options);
  return testServer;
}
