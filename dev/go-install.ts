import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { FindOptions } from './binary-cache.js';
import type { BinaryRecipe, BinaryWay } from './find-binary.js';
import { lastLines, runCommand } from './run-command.js';

export interface GoProgram extends Pick<BinaryRecipe, 'title' | 'fileName'> {
  /** Go's import path of the command, without a version. */
  readonly path: string;
  /** Without the `v`. */
  readonly version: string;
  /** How long the build takes, in words: somebody is watching. */
  readonly takes: string;
  /** Go's build tags. Programs that share compiled packages need the same ones. */
  readonly tags?: readonly string[];
  /**
   * Builds it of the package versions that this other module asks for. Two programs that share most of their packages
   * then share what Go has compiled of them; each with its own versions, most are compiled twice.
   */
  readonly besides?: { readonly ownModule: string; readonly module: string; readonly version: string };
}

/** What is typed to build it by hand. */
export function goInstallCommand({ path, version }: Pick<GoProgram, 'path' | 'version'>): string {
  return `go install ${path}@v${version}`;
}

/** What debuggers alone read: 7 % of the build and a third of the file. A panic names its lines without it. */
const LEAN = ['-gcflags=all=-dwarf=false', '-ldflags=-s -w'] as const;

/**
 * Go's compiler runs once per package, and in a large program spends a quarter of its time collecting garbage of processes
 * that soon end. With these it collects only what wouldn't fit into half of the memory there is, as many run at a time as
 * there are processors. Whoever set one of the two has a reason.
 */
export function collectLate(
  env: NodeJS.ProcessEnv,
  availableBytes: number,
  processors: number,
): NodeJS.ProcessEnv {
  if ((env['GOGC'] ?? '') !== '' || (env['GOMEMLIMIT'] ?? '') !== '') return {};
  return { GOGC: 'off', GOMEMLIMIT: `${Math.floor(availableBytes / 2 / processors)}B` };
}

/** Builds a program with `go install` into a cache slot of its own: several are called `server` by their makers. */
export function goInstall(program: GoProgram): BinaryWay {
  return {
    name: 'go install',
    version: program.version,
    fill: (folder, options) => build(program, folder, options),
  };
}

async function build(program: GoProgram, folder: string, options: FindOptions): Promise<void> {
  const { title, fileName, path, version, takes, tags = [] } = program;
  // Asked first, so that the line about minutes of building is not printed where there is no Go.
  const go = await runCommand('go', ['version'], { env: options.env, signal: options.signal });
  if (go.code !== 0) throw new Error(`\`go version\` failed: ${lastLines(go.stderr, 3)}`);
  const typed = program.besides === undefined ? 'go install' : 'go build';
  options.onProgress(`building the ${title} ${version} with \`${typed}\` (${takes}, once)`);
  const started = Date.now();
  const flags = [...LEAN, ...(tags.length === 0 ? [] : [`-tags=${tags.join(',')}`])];
  await (program.besides === undefined
    ? runGo(['install', ...flags, `${path}@v${version}`], folder, folder, options)
    : buildBesides(program, program.besides, flags, folder, options));
  const built = basename(path);
  if (built !== fileName) await rename(join(folder, built), join(folder, fileName));
  options.onProgress(`built the ${title} in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** `go install` takes one module's versions; several modules have to be asked for by a module of one's own. */
async function buildBesides(
  { path, version }: GoProgram,
  besides: NonNullable<GoProgram['besides']>,
  flags: readonly string[],
  folder: string,
  options: FindOptions,
): Promise<void> {
  const module = join(folder, 'module');
  await mkdir(module);
  const required = [`${besides.ownModule} v${version}`, `${besides.module} v${besides.version}`];
  // The name is not one that could be fetched; Go raises its own version to what the two modules ask for.
  const lines = ['module longhaul.invalid/build', 'go 1.21', ...required.map((line) => `require ${line}`)];
  await writeFile(join(module, 'go.mod'), `${lines.join('\n')}\n`);
  await runGo(
    ['build', '-mod=mod', ...flags, '-o', join(folder, basename(path)), path],
    folder,
    module,
    options,
  );
  await rm(module, { recursive: true });
}

async function runGo(
  args: readonly string[],
  folder: string,
  cwd: string,
  { env, signal }: FindOptions,
): Promise<void> {
  const result = await runCommand('go', args, {
    // A shell set up for cross-compiling would build for another machine, which `go install` refuses with GOBIN; one
    // that works on several modules at a time would look for this one among them.
    env: {
      ...env,
      ...collectLate(env, process.availableMemory(), availableParallelism()),
      GOBIN: folder,
      GOOS: '',
      GOARCH: '',
      GOWORK: 'off',
    },
    cwd,
    signal,
  });
  if (result.code !== 0) throw new Error(`\`go ${args.join(' ')}\` failed: ${lastLines(result.stderr, 5)}`);
}
