import { delimiter, join } from 'node:path';
import { cacheSlot, fillSlot, isExecutable, type FindOptions } from './binary-cache.js';
import { MissingBinaryError, messageOf } from './errors.js';
import { runCommand, type CommandResult } from './run-command.js';

/** One program that Longhaul needs, and how to come by it. */
export interface BinaryRecipe {
  /** For messages: `Temporal CLI`. */
  readonly title: string;
  /** File name, on PATH and in the cache. */
  readonly fileName: string;
  /** Folder in the cache. */
  readonly tool: string;
  /** The environment variable that names the binary. */
  readonly variable: string;
  readonly searchPath: boolean;
  /** A call that ends by itself and shows that this is the right program and runs on this machine. */
  readonly probe: { readonly args: readonly string[]; accepts(result: CommandResult): boolean };
  /** Slow ways, tried in this order after the cache; each fills a cache slot of its own. */
  readonly ways: readonly BinaryWay[];
  /** What a user can do when nothing worked, one per line. */
  readonly remedies: readonly string[];
}

export interface BinaryWay {
  readonly name: string;
  readonly version: string;
  /** Puts the binary, under the recipe's file name, into an empty folder. */
  fill(folder: string, options: FindOptions): Promise<void>;
}

/**
 * The path of a working binary: the variable, PATH, the cache, the slow ways, in this order.
 * @throws MissingBinaryError, which lists these options.
 */
export async function findBinary(recipe: BinaryRecipe, options: FindOptions): Promise<string> {
  const named = options.env[recipe.variable];
  if (named) {
    if (await works(recipe, named, options)) return named;
    // A set variable is a decision: going on with another binary would hide the mistake.
    throw new MissingBinaryError(
      `${recipe.variable}=${named} is not a working ${recipe.title}. Correct or unset the variable.`,
    );
  }
  for (const path of quickPaths(recipe, options.env)) {
    if (await works(recipe, path, options)) return path;
  }
  const failures: string[] = [];
  for (const way of recipe.ways) {
    try {
      return await take(recipe, way, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push(`${way.name}: ${messageOf(error)}`);
    }
  }
  throw new MissingBinaryError(missingMessage(recipe, failures));
}

function quickPaths(recipe: BinaryRecipe, env: NodeJS.ProcessEnv): string[] {
  const folders = recipe.searchPath ? (env['PATH'] ?? '').split(delimiter).filter((part) => part !== '') : [];
  return [
    ...folders.map((folder) => join(folder, recipe.fileName)),
    ...recipe.ways.map((way) => cachedPath(recipe, way, env)),
  ];
}

function cachedPath(recipe: BinaryRecipe, way: BinaryWay, env: NodeJS.ProcessEnv): string {
  return join(cacheSlot(env, recipe.tool, way.version), recipe.fileName);
}

async function take(recipe: BinaryRecipe, way: BinaryWay, options: FindOptions): Promise<string> {
  const path = cachedPath(recipe, way, options.env);
  const slot = cacheSlot(options.env, recipe.tool, way.version);
  const isGood = (): Promise<boolean> => works(recipe, path, options);
  await fillSlot(slot, options, isGood, async (folder) => {
    await way.fill(folder, options);
    if (!(await works(recipe, join(folder, recipe.fileName), options))) {
      throw new Error('the result does not run on this machine');
    }
  });
  return path;
}

/** Other programs may have the same name, and a file may be for another machine: it has to show who it is. */
async function works(recipe: BinaryRecipe, path: string, options: FindOptions): Promise<boolean> {
  if (!(await isExecutable(path))) return false;
  try {
    const limits = { env: options.env, timeout: 60_000, signal: options.signal };
    return recipe.probe.accepts(await runCommand(path, recipe.probe.args, limits));
  } catch {
    options.signal?.throwIfAborted();
    return false;
  }
}

function missingMessage(recipe: BinaryRecipe, failures: readonly string[]): string {
  return [
    `No ${recipe.title} found, and none could be fetched. Do one of these:`,
    ...recipe.remedies.map((remedy) => `  - ${remedy}`),
    'What was tried:',
    ...failures.map((failure) => `  ${failure.replaceAll('\n', '\n    ')}`),
  ].join('\n');
}
