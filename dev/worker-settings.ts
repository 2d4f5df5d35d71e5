import type { Home } from './home.js';
import { NAMESPACE } from './temporal-server.js';
import type { EmbeddedSettings, WorkerNeed } from './protocol.js';

/** Settings that commands decide on, and the worker's variables for them. */
const VARIABLES = [
  ['apiKey', 'MISTRAL_API_KEY'],
  ['baseUrl', 'MISTRAL_BASE_URL'],
  ['storeUri', 'LONGHAUL_STORE'],
  ['createSettle', 'LONGHAUL_CREATE_SETTLE'],
  ['cancelWait', 'LONGHAUL_CANCEL_WAIT'],
  ['logLevel', 'LONGHAUL_LOG_LEVEL'],
] as const;

/** As secret as the API key: commands hand them over with `workerEnv`. */
const CODEC_VARIABLES = ['LONGHAUL_CODEC_KEYS', 'LONGHAUL_CODEC_KEYS_FILE'] as const;

/**
 * The part of the first command's environment that supervisor and worker inherit. What commands decide on is left
 * out, or the first command's choice would stand behind every later one's; so are other Temporal servers.
 */
export function inheritedEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const decided = new Set<string>([...VARIABLES.map(([, variable]) => variable), ...CODEC_VARIABLES]);
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !decided.has(name) && !name.startsWith('TEMPORAL_')),
  );
}

/**
 * The settings after a command said hello. Only one that asks for a full worker overrides what is known: `status`
 * from a shell with another key must not restart the worker.
 */
export function mergeSettings(
  known: EmbeddedSettings,
  asked: EmbeddedSettings,
  need: WorkerNeed,
): EmbeddedSettings {
  const [weak, strong] = need === 'full' ? [known, asked] : [asked, known];
  const workerEnv = { ...weak.workerEnv, ...strong.workerEnv };
  return { ...weak, ...strong, ...(Object.keys(workerEnv).length > 0 && { workerEnv }) };
}

/** What the worker's environment has beyond the inherited one. */
export function workerVariables(
  settings: EmbeddedSettings,
  role: 'full' | 'workflow-only',
  home: Home,
  address: string,
): Record<string, string> {
  const chosen = VARIABLES.flatMap(([setting, variable]) => {
    const value = settings[setting];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return {
    ...settings.workerEnv,
    ...Object.fromEntries(chosen),
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    LONGHAUL_HOME: home.folder,
    LONGHAUL_WORKER_ROLE: role,
  };
}
