import type { FindOptions } from './binary-cache.js';
import { findBinary, type BinaryRecipe } from './find-binary.js';
import { goInstall, goInstallCommand, type GoProgram } from './go-install.js';
import { TEMPORAL_BUILD_TAGS, TEMPORAL_CLI_MODULE } from './temporal-cli.js';

/** The server that the Temporal CLI of `temporal-cli.ts` embeds is of the same minor version. */
const VERSION = '1.29.1';

/** The command line embeds this server, so that it names all packages, in versions that are its own or newer. */
const BESIDES_CLI = { ownModule: 'go.temporal.io/server', ...TEMPORAL_CLI_MODULE };

const SERVER: GoProgram = {
  title: 'Temporal server',
  fileName: 'temporal-server',
  path: 'go.temporal.io/server/cmd/server',
  version: VERSION,
  takes: 'minutes, or seconds after the Temporal CLI',
  tags: TEMPORAL_BUILD_TAGS,
  besides: BESIDES_CLI,
};

const SQL_TOOL: GoProgram = {
  title: 'Temporal SQL tool',
  fileName: 'temporal-sql-tool',
  path: 'go.temporal.io/server/cmd/tools/sql',
  version: VERSION,
  takes: 'minutes, or seconds after the Temporal CLI',
  tags: TEMPORAL_BUILD_TAGS,
  besides: BESIDES_CLI,
};

function recipe(program: GoProgram, variable: string, named: RegExp): BinaryRecipe {
  const { title, fileName } = program;
  return {
    title,
    fileName,
    tool: fileName,
    variable,
    searchPath: true,
    probe: {
      args: ['--version'],
      accepts: (result) => result.code === 0 && named.test(result.stdout.trim()),
    },
    ways: [goInstall(program)],
    remedies: [
      `set ${variable} to the \`${fileName}\` binary`,
      `put \`${fileName}\` on PATH`,
      `install Go, so that \`${goInstallCommand(program)}\` works`,
    ],
  };
}

/**
 * The path of Temporal's server as clusters run it, without a database of its own: `TEMPORAL_SERVER_PATH`,
 * `temporal-server` on PATH, Longhaul's cache, a build with `go install`, in this order.
 * @throws MissingBinaryError, which lists these options.
 */
export function findClusterServer(options: FindOptions): Promise<string> {
  // The CLI calls itself `temporal version` too, and says more after the number.
  return findBinary(recipe(SERVER, 'TEMPORAL_SERVER_PATH', /^temporal version [\d.]+$/), options);
}

/** The path of the tool that sets the server's database schemas up; found like the server. */
export function findSqlTool(options: FindOptions): Promise<string> {
  return findBinary(
    recipe(SQL_TOOL, 'TEMPORAL_SQL_TOOL_PATH', /^temporal-sql-tool version [\d.]+$/),
    options,
  );
}
