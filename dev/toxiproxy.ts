import type { FindOptions } from './binary-cache.js';
import { findBinary, type BinaryRecipe } from './find-binary.js';
import { goInstall, goInstallCommand } from './go-install.js';

const PROGRAM = {
  title: 'toxiproxy server',
  fileName: 'toxiproxy-server',
  path: 'github.com/Shopify/toxiproxy/v2/cmd/server',
  version: '2.5.0',
  takes: 'seconds',
} as const;

const TOXIPROXY: BinaryRecipe = {
  title: PROGRAM.title,
  fileName: PROGRAM.fileName,
  tool: 'toxiproxy',
  variable: 'TOXIPROXY_PATH',
  searchPath: true,
  probe: {
    args: ['--version'],
    // A build by `go install` calls its version `git`.
    accepts: (result) => result.code === 0 && result.stdout.startsWith('toxiproxy-server version '),
  },
  ways: [goInstall(PROGRAM)],
  remedies: [
    'set TOXIPROXY_PATH to the `toxiproxy-server` binary',
    'put `toxiproxy-server` on PATH (https://github.com/Shopify/toxiproxy)',
    `install Go, so that \`${goInstallCommand(PROGRAM)}\` works`,
  ],
};

/**
 * The path of toxiproxy's server, which the tests put between Longhaul and what it talks to: `TOXIPROXY_PATH`,
 * `toxiproxy-server` on PATH, Longhaul's cache, a build with `go install`, in this order.
 * @throws MissingBinaryError, which lists these options.
 */
export function findToxiproxy(options: FindOptions): Promise<string> {
  return findBinary(TOXIPROXY, options);
}
