import { rename } from 'node:fs/promises';
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
}

/** What is typed to build it by hand. */
export function goInstallCommand({ path, version }: Pick<GoProgram, 'path' | 'version'>): string {
  return `go install ${path}@v${version}`;
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
  const { title, fileName, path, version, takes } = program;
  // Asked first, so that the line about minutes of building is not printed where there is no Go.
  const go = await runCommand('go', ['version'], { env: options.env, signal: options.signal });
  if (go.code !== 0) throw new Error(`\`go version\` failed: ${lastLines(go.stderr, 3)}`);
  options.onProgress(`building the ${title} ${version} with \`go install\` (${takes}, once)`);
  const started = Date.now();
  const result = await runCommand('go', ['install', `${path}@v${version}`], {
    // A shell set up for cross-compiling would build for another machine, which `go install` refuses with GOBIN.
    env: { ...options.env, GOBIN: folder, GOOS: '', GOARCH: '' },
    cwd: folder,
    signal: options.signal,
  });
  if (result.code !== 0) {
    throw new Error(`\`${goInstallCommand(program)}\` failed: ${lastLines(result.stderr, 5)}`);
  }
  const built = basename(path);
  if (built !== fileName) await rename(join(folder, built), join(folder, fileName));
  options.onProgress(`built the ${title} in ${Math.round((Date.now() - started) / 1000)} s`);
}
