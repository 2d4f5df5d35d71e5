import type { FindOptions } from './binary-cache.js';
import { findBinary, type BinaryRecipe } from './find-binary.js';
import { goInstall, goInstallCommand } from './go-install.js';
import { TEMPORAL_SDK_VERSION, downloadFromTemporal } from './temporal-download.js';

export const TEMPORAL_CLI_MODULE = {
  module: 'github.com/temporalio/cli',
  /** The newest version that `go install` accepts: 1.9.1 has a replace directive. */
  version: '1.5.1',
} as const;

/**
 * Temporal builds its own servers with this tag: without the gRPC modules of Google's storage client, which they never
 * use, a tenth of what there is to compile (https://github.com/temporalio/temporal/blob/v1.29.1/Makefile).
 */
export const TEMPORAL_BUILD_TAGS = ['disable_grpc_modules'] as const;

const PROGRAM = {
  title: 'Temporal CLI',
  fileName: 'temporal',
  path: `${TEMPORAL_CLI_MODULE.module}/cmd/temporal`,
  version: TEMPORAL_CLI_MODULE.version,
  takes: 'a few minutes',
  tags: TEMPORAL_BUILD_TAGS,
} as const;

const TEMPORAL_CLI: BinaryRecipe = {
  title: PROGRAM.title,
  fileName: PROGRAM.fileName,
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
    goInstall(PROGRAM),
  ],
  remedies: [
    'set TEMPORAL_CLI_PATH to the `temporal` binary',
    'put `temporal` on PATH (https://docs.temporal.io/cli)',
    'let this machine reach https://temporal.download',
    `install Go, so that \`${goInstallCommand(PROGRAM)}\` works`,
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
