import { comparableOrigin } from '../batch/keys.js';
import { isRecord, readJson, writeJson, type Home } from './home.js';

/**
 * What a home is bound to once a command with a full worker has used it: its open batches and kept jobs belong to
 * one provider and one store, and one worker serves them all. Kept in `home.json`.
 */
export interface HomeBinding {
  readonly baseUrl?: string;
  readonly storeUri?: string;
}

export async function readHomeBinding(home: Home): Promise<HomeBinding> {
  const value = await readJson(home.bindingFile);
  if (!isRecord(value)) return {};
  const { baseUrl, storeUri } = value;
  return {
    ...(typeof baseUrl === 'string' && { baseUrl }),
    ...(typeof storeUri === 'string' && { storeUri }),
  };
}

export async function writeHomeBinding(home: Home, binding: HomeBinding): Promise<void> {
  const { baseUrl, storeUri } = binding;
  await writeJson(home.bindingFile, {
    ...(baseUrl !== undefined && { baseUrl: withoutCredentials(baseUrl) }),
    ...(storeUri !== undefined && { storeUri }),
  });
}

/** Why these settings can't be used in this home, or undefined. Unset means no opinion. */
export function bindingConflict(home: Home, bound: HomeBinding, asked: HomeBinding): string | undefined {
  const other =
    differs(bound.baseUrl, asked.baseUrl, originOf) ?? differs(bound.storeUri, asked.storeUri, storeOf);
  if (other === undefined) return undefined;
  return (
    `The home ${home.folder} belongs to ${other.bound}, not to ${other.asked}: one home serves one provider and ` +
    'one store. Set LONGHAUL_HOME to another folder for this one, or correct MISTRAL_BASE_URL or LONGHAUL_STORE.'
  );
}

function differs(
  bound: string | undefined,
  asked: string | undefined,
  identity: (text: string) => string,
): { bound: string; asked: string } | undefined {
  if (bound === undefined || asked === undefined || identity(bound) === identity(asked)) return undefined;
  return { bound: withoutCredentials(bound), asked: withoutCredentials(asked) };
}

function originOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? comparableOrigin(new URL(baseUrl).origin) : baseUrl;
}

function storeOf(uri: string): string {
  return uri.replace(/\/+$/, '');
}

/** A user or password inside a URL is neither stored nor shown. */
function withoutCredentials(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = '';
  url.password = '';
  return url.href;
}
