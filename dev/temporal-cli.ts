import type { FindOptions } from './binary-cache.js';
import { findBinary, type BinaryRecipe } from './find-binary.js';
import { lastLines, runCommand } from './run-command.js';
import { TEMPORAL_SDK_VERSION, downloadFromTemporal } from './temporal-download.js';

/** The newest version that `go install` accepts: 1.9.1 has a replace directive. */
const BUILT_VERSION = '1.5.1';
const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${BUILT_VERSION}`;

const TEMPORAL_CLI: BinaryRecipe = {
  title: 'Temporal CLI',
  fileName: 'temporal',
  tool: 'temporal-cli',
  variable: 'TEMPORAL_CLI_PATH',
  searchPath: true,
  probe: {
    args: ['--version'],
    accepts: (result) => result.code === 0 && result.stdout.startsWith('temporal version '),
  },
  ways: [
    {
      name: 'download',
      version: `sdk-${TEMPORAL_SDK_VERSION}`,
      fill: (folder, options) =>
        downloadFromTemporal({ artifact: 'cli', format: 'tar.gz' }, folder, 'temporal', options),
    },
    { name: 'go install', version: BUILT_VERSION, fill: buildWithGo },
  ],
  remedies: [
    'set TEMPORAL_CLI_PATH to the `temporal` binary',
    'put `temporal` on PATH (https://docs.temporal.io/cli)',
    'let this machine reach https://temporal.download',
    `install Go, so that \`go install ${GO_PACKAGE}\` works`,
    'use a Temporal server that runs already: set TEMPORAL_ADDRESS',
  ],
};

/**
 * The path of a working Temporal CLI: `TEMPORAL_CLI_PATH`, `temporal` on PATH, Longhaul's cache, a download, a
 * build with `go install`, in this order. The last two fill the cache.
 * @throws MissingBinaryError, which lists these options.
 */
export function findTemporalCli(options: FindOptions): Promise<string> {
  return findBinary(TEMPORAL_CLI, options);
}

async function buildWithGo(folder: string, options: FindOptions): Promise<void> {
  // Asked first, so that the line about minutes of building is not printed where there is no Go.
  const version = await runCommand('go', ['version'], { env: options.env, signal: options.signal });
  if (version.code !== 0) throw new Error(`\`go version\` failed: ${lastLines(version.stderr, 3)}`);
  options.onProgress(`building the Temporal CLI ${BUILT_VERSION} with \`go install\` (a few minutes, once)`);
  const started = Date.now();
  const result = await runCommand('go', ['install', GO_PACKAGE], {
    // A shell set up for cross-compiling would build for another machine, which `go install` refuses with GOBIN.
    env: { ...options.env, GOBIN: folder, GOOS: '', GOARCH: '' },
    cwd: folder,
    signal: options.signal,
  });
  if (result.code !== 0) {
    throw new Error(`\`go install ${GO_PACKAGE}\` failed: ${lastLines(result.stderr, 5)}`);
  }
  options.onProgress(`built the Temporal CLI in ${Math.round((Date.now() - started) / 1000)} s`);
}
