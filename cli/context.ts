import { realpathSync, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadClientConfigProfile } from '@temporalio/envconfig';
import { configTrouble } from '../client/config-trouble.js';
import { codeOf } from '../dev/errors.js';
import { readHomeBinding } from '../dev/home-binding.js';
import { findHome } from '../dev/home.js';
import { parseConfig } from '../schemas/config.js';
import type { Config } from '../schemas/config.js';
import { describeProblems } from '../schemas/problems.js';
import { formatFileUri, parseFileLocation } from '../storage/uri.js';
import { forgetSecrets } from '../worker/crash.js';
import { assertConfigFile } from './config-file.js';
import { CliError } from './errors.js';
import { createOutput } from './output.js';
import type { Output } from './output.js';

/** What every command knows before it does anything: the environment, read once and checked. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  /** `home` is absolute, without symbolic links as far as it exists. */
  readonly config: Config;
  readonly storeUri: string;
  /** `configured`: a Temporal address is given by `TEMPORAL_*` or `temporal.toml`; else a server of our own. */
  readonly mode: 'embedded' | 'configured';
  readonly address: string | null;
  readonly output: Output;
}

/** @throws CliError naming the variables that are wrong. */
export async function loadContext(): Promise<CliContext> {
  const env = { ...process.env };
  const parsed = parseConfig(env);
  if (!parsed.ok) throw new CliError(`The environment is not valid: ${describeProblems(parsed.problems)}.`);
  const config = { ...parsed.config, home: realPathOf(parsed.config.home) };
  assertHomeIsNoFile(config.home);
  const address = temporalAddress();
  forgetSecrets();
  return {
    env,
    config,
    storeUri:
      config.store ??
      (address === null ? await boundStore(config.home) : null) ??
      formatFileUri(join(config.home, 'store')),
    mode: address === null ? 'embedded' : 'configured',
    address,
    output: createOutput(),
  };
}

/** The store that an embedded home is bound to: commands that only look must not look elsewhere. */
async function boundStore(path: string): Promise<string | null> {
  try {
    const home = await findHome(path);
    const uri = home === undefined ? undefined : (await readHomeBinding(home)).storeUri;
    if (uri === undefined) return null;
    const folder = parseFileLocation(uri);
    // A home that was moved still names its former place.
    return !folder.ok || (await exists(folder.path)) ? uri : null;
  } catch {
    // Who needs the home says what is wrong with it.
    return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function temporalAddress(): string | null {
  try {
    assertConfigFile(process.env);
    const address = loadClientConfigProfile().address?.trim() ?? '';
    return address === '' ? null : address;
  } catch (error) {
    throw new CliError(
      `Temporal's configuration (TEMPORAL_*, temporal.toml) can't be read: ${configTrouble(error)}`,
    );
  }
}

/** One home has one name, or the store's URI would depend on the way that a person came to it. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** What is wrong with a home that is there, or may be made, is said by who needs it; a file never becomes one. */
function assertHomeIsNoFile(home: string): void {
  const kind = kindOf(home);
  if (kind === 'file') throw new CliError(`LONGHAUL_HOME ${home} is a file; name a folder.`);
  if (kind === 'in-file') {
    throw new CliError(`LONGHAUL_HOME ${home} can't be a folder: a part of its path is a file.`);
  }
}

function kindOf(path: string): 'file' | 'in-file' | 'other' {
  try {
    return statSync(path).isDirectory() ? 'other' : 'file';
  } catch (error) {
    return codeOf(error) === 'ENOTDIR' ? 'in-file' : 'other';
  }
}

/** What a command says about the provider: a key for the worker, and where it is. */
export interface ProviderChoice {
  readonly apiKey: string | null;
  readonly baseUrl: string;
}

/** Emulators take any key; a real one must not go there by accident, nor be asked for. */
const LOOPBACK_KEY = 'emulator';

/** The environment's choice, without a look at the home. */
export function providerChoice({ config }: Pick<CliContext, 'config'>): ProviderChoice {
  return withLoopbackKey(config.mistral);
}

/**
 * The choice for an embedded home: one that was last used with an emulator goes on with it when the environment names
 * neither key nor address, so that commands beside `longhaul dev` need no variables.
 */
export async function embeddedChoice({ config, env }: CliContext): Promise<ProviderChoice> {
  if (config.mistral.apiKey !== null || isSet(env['MISTRAL_BASE_URL']))
    return withLoopbackKey(config.mistral);
  const home = await findHome(config.home);
  const bound = home === undefined ? undefined : (await readHomeBinding(home)).baseUrl;
  return withLoopbackKey(
    bound === undefined || !isLoopback(bound) ? config.mistral : { apiKey: null, baseUrl: bound },
  );
}

/** @throws CliError when there is no key where one is needed. */
export function requireKey(choice: ProviderChoice): { apiKey: string; baseUrl: string } {
  if (choice.apiKey !== null) return { apiKey: choice.apiKey, baseUrl: choice.baseUrl };
  throw new CliError(
    'MISTRAL_API_KEY is not set. Set it to a key of your workspace, or try everything without one: `longhaul dev` brings an emulator.',
    { type: 'MissingKey' },
  );
}

const PROBE_MS = 3_000;

/**
 * For a command that is about to have work done at the home's own provider: an emulator that is gone would be tried
 * again and again.
 * @throws CliError when it does not answer
 */
export async function assertHomeProviderAnswers(
  { config }: Pick<CliContext, 'config'>,
  { baseUrl }: ProviderChoice,
): Promise<void> {
  if (baseUrl === config.mistral.baseUrl) return;
  try {
    // Any answer is one. An emulator keeps no record of this path: what an input is refused for must not have been sent.
    await fetch(new URL('/_emulator/faults', baseUrl), {
      redirect: 'manual',
      signal: AbortSignal.timeout(PROBE_MS),
    });
  } catch {
    throw new CliError(
      `MISTRAL_API_KEY is not set, and ${baseUrl}, which ${config.home} was last used with, does not answer. If that was the emulator of \`longhaul dev\`, call it again; else set MISTRAL_API_KEY and MISTRAL_BASE_URL. A real provider needs another LONGHAUL_HOME.`,
      { type: 'MissingKey' },
    );
  }
}

function withLoopbackKey({ apiKey, baseUrl }: ProviderChoice): ProviderChoice {
  return { apiKey: apiKey ?? (isLoopback(baseUrl) ? LOOPBACK_KEY : null), baseUrl };
}

export function isLoopback(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname;
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

export function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}
