import { isRecord } from './home.js';
import { RELEASE } from './release.js';

/**
 * What commands and the supervisor say to each other: one JSON document per line, with the speaker's version as
 * `v`. It is the release, not one of the protocol alone, as a command also relies on the worker that runs. `stop`
 * alone is understood from any version, as it is the way out.
 */

/** Which worker a command needs; `none`: the server only. */
export type WorkerNeed = 'full' | 'workflow-only' | 'none';

/** What the worker is run with. Unset means that the command has no opinion, never "without". */
export interface EmbeddedSettings {
  /** Secret: sent over the socket, handed to the worker's environment, written nowhere. */
  readonly apiKey?: string;
  readonly baseUrl?: string;
  readonly storeUri?: string;
  readonly createSettle?: string;
  readonly cancelWait?: string;
  readonly logLevel?: string;
  /** Further variables for the worker, such as `AWS_*`. As secret as the key. */
  readonly workerEnv?: Readonly<Record<string, string>>;
}

export type ClientMessage =
  | { readonly type: 'hello'; readonly need: WorkerNeed; readonly settings: EmbeddedSettings }
  | { readonly type: 'detach' }
  | { readonly type: 'stop' };

export interface Welcome {
  readonly type: 'welcome';
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  readonly serverPid: number;
  readonly workerPid?: number;
  /** Whether a full worker of this server has a key, or will have one, without a further command. */
  readonly hasKey: boolean;
  /** What the home is bound to, as a default for commands without an opinion. */
  readonly baseUrl?: string;
  readonly storeUri?: string;
}

export type EmbeddedEvent =
  | { readonly type: 'worker-exited'; readonly message: string }
  | { readonly type: 'worker-restarted'; readonly pid: number }
  | { readonly type: 'server-exited'; readonly message: string }
  | { readonly type: 'server-restarted'; readonly pid: number }
  | { readonly type: 'stopping'; readonly message: string; readonly cause: StopCause };

/**
 * Why a supervisor stops: somebody wants it to (`longhaul stop`, a signal), its home is gone, it can't go on, or no
 * command needs it. Only the last two leave something to start again.
 */
export type StopCause = 'asked' | 'home-removed' | 'trouble' | 'unused';

export type SupervisorMessage =
  | { readonly type: 'accepted'; readonly pid: number }
  | { readonly type: 'progress'; readonly line: string }
  | Welcome
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly message: string }
  | { readonly type: 'detached' }
  | EmbeddedEvent;

/** `stopping`: ask again, a new supervisor will answer. */
export type RefusalReason = 'version' | 'conflict' | 'failed' | 'stopping';

const NEEDS = new Set<unknown>(['full', 'workflow-only', 'none']);
const CAUSES = new Set<unknown>(['asked', 'home-removed', 'trouble', 'unused']);
const REASONS = new Set<unknown>(['version', 'conflict', 'failed', 'stopping']);
const SETTING_NAMES = ['apiKey', 'baseUrl', 'storeUri', 'createSettle', 'cancelWait', 'logLevel'] as const;

export function encode(message: ClientMessage | SupervisorMessage): string {
  return `${JSON.stringify({ v: RELEASE, ...message })}\n`;
}

/** Whether the other side speaks our version; to be asked before the message is parsed. */
export function speaksOurVersion(value: unknown): boolean {
  return isRecord(value) && value['v'] === RELEASE;
}

export function parseClientMessage(value: unknown): ClientMessage | undefined {
  if (!isRecord(value)) return undefined;
  switch (value['type']) {
    case 'detach':
    case 'stop':
      return { type: value['type'] };
    case 'hello': {
      const settings = parseSettings(value['settings']);
      const { need } = value;
      return isNeed(need) && settings !== undefined ? { type: 'hello', need, settings } : undefined;
    }
    default:
      return undefined;
  }
}

function parseSettings(value: unknown): EmbeddedSettings | undefined {
  if (!isRecord(value)) return undefined;
  const settings: Record<string, string | Record<string, string>> = {};
  for (const name of SETTING_NAMES) {
    const setting = value[name];
    if (typeof setting === 'string') settings[name] = setting;
    else if (setting !== undefined) return undefined;
  }
  const { workerEnv } = value;
  if (workerEnv === undefined) return settings;
  if (!isRecord(workerEnv) || !isStrings(workerEnv)) return undefined;
  return { ...settings, workerEnv };
}

export function parseSupervisorMessage(value: unknown): SupervisorMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { type, pid, line, message, reason, cause } = value;
  switch (type) {
    case 'accepted':
    case 'worker-restarted':
    case 'server-restarted':
      return typeof pid === 'number' ? { type, pid } : undefined;
    case 'progress':
      return typeof line === 'string' ? { type, line } : undefined;
    case 'worker-exited':
    case 'server-exited':
      return typeof message === 'string' ? { type, message } : undefined;
    case 'stopping':
      return isCause(cause) && typeof message === 'string' ? { type, message, cause } : undefined;
    case 'refused':
      return isReason(reason) && typeof message === 'string' ? { type, reason, message } : undefined;
    case 'detached':
      return { type };
    case 'welcome':
      return parseWelcome(value);
    default:
      return undefined;
  }
}

function parseWelcome(value: Record<string, unknown>): Welcome | undefined {
  const { address, namespace, uiUrl, serverPid, workerPid, hasKey, baseUrl, storeUri } = value;
  if (typeof address !== 'string' || typeof namespace !== 'string') return undefined;
  if (typeof uiUrl !== 'string' || typeof serverPid !== 'number') return undefined;
  if (typeof hasKey !== 'boolean') return undefined;
  return {
    type: 'welcome',
    address,
    namespace,
    uiUrl,
    serverPid,
    hasKey,
    ...(typeof workerPid === 'number' && { workerPid }),
    ...(typeof baseUrl === 'string' && { baseUrl }),
    ...(typeof storeUri === 'string' && { storeUri }),
  };
}

function isNeed(value: unknown): value is WorkerNeed {
  return NEEDS.has(value);
}

function isCause(value: unknown): value is StopCause {
  return CAUSES.has(value);
}

function isReason(value: unknown): value is RefusalReason {
  return REASONS.has(value);
}

function isStrings(value: Record<string, unknown>): value is Record<string, string> {
  return Object.values(value).every((entry) => typeof entry === 'string');
}
