import { resolve } from 'node:path';
import { LonghaulError } from '../client/failures.js';
import type { LonghaulClient } from '../client/types.js';
import { connectEmbedded, connectIfRunning } from '../dev/embedded.js';
import type {
  EmbeddedSession,
  EmbeddedSettings,
  SessionEvent,
  StopCause,
  WorkerNeed,
} from '../dev/embedded.js';
import { readCodecKeys } from '../worker/codec-keys.js';
import { isSet } from './context.js';
import type { CliContext, ProviderChoice } from './context.js';
import { adviseOnWorkers } from './worker-advice.js';

/** A command's way to its batches: a client, and in embedded mode the hold on the server. */
export interface Link {
  readonly longhaul: LonghaulClient;
  readonly session: EmbeddedSession | null;
  /** Aborts with LostServer when the embedded server is gone for good. */
  readonly lost: AbortSignal;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly need: WorkerNeed;
  /** Left out: the command has no opinion on key and provider. */
  readonly choice?: ProviderChoice | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The embedded server went away under a command. */
export class LostServer extends Error {
  override readonly name = 'LostServer';
  readonly why: StopCause | 'crash';

  constructor(message: string, why: StopCause | 'crash') {
    super(message);
    this.why = why;
  }

  /** Somebody stopped it on purpose. */
  get onPurpose(): boolean {
    return this.why === 'asked';
  }

  /** Starting it again is against nobody's will, and there is a home to start it in. */
  get mayBeReopened(): boolean {
    return this.why !== 'asked' && this.why !== 'home-removed';
  }
}

/** Connects to the configured cluster, or to the home's server, which is started if it does not run. */
export async function openLink(context: CliContext, options: LinkOptions): Promise<Link> {
  // Before a worker is started with keys that can't be read: the home would keep them for the next command.
  await readCodecKeys(context.config);
  if (context.mode === 'configured') return configuredLink(context);
  // Before a server is started or even built, which takes minutes: by then these files may be another version's.
  loadClient().catch(() => undefined);
  const { env, config, output } = context;
  const session = await connectEmbedded({
    home: config.home,
    need: options.need,
    settings: embeddedSettings(context, options),
    env,
    onProgress: (line) => output.note(line),
    signal: options.signal,
  });
  return embeddedLink(context, session, options.choice);
}

/** Like openLink, but null when there is no server that runs; none is started. */
export async function openLinkIfRunning(context: CliContext): Promise<Link | null> {
  if (context.mode === 'configured') return configuredLink(context);
  const { env, config, output } = context;
  const session = await connectIfRunning({
    home: config.home,
    settings: {},
    env,
    onProgress: (line) => output.note(line),
  });
  return session === undefined ? null : embeddedLink(context, session);
}

/** Opens, uses and closes a link. */
export async function withLink<T>(
  context: CliContext,
  options: LinkOptions,
  use: (link: Link) => Promise<T>,
): Promise<T> {
  const link = await openLink(context, options);
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

async function configuredLink(context: CliContext): Promise<Link> {
  const client = await connectClient(context, {});
  return { ...client, session: null, lost: new AbortController().signal };
}

async function embeddedLink(
  context: CliContext,
  session: EmbeddedSession,
  choice?: ProviderChoice,
): Promise<Link> {
  const lost = new AbortController();
  let stopping: Extract<SessionEvent, { type: 'stopping' }> | null = null;
  session.onEvent((event) => {
    if (event.type === 'stopping') stopping = event;
    if (event.type === 'lost') {
      lost.abort(new LostServer(stopping?.message ?? event.message, stopping?.cause ?? 'crash'));
    } else context.output.note(describeEvent(event));
  });
  const { address, namespace, uiUrl } = session;
  const client = await connectClient(context, { address, namespace, uiUrl }, choice?.baseUrl);
  return {
    ...client,
    session,
    lost: lost.signal,
    close: async () => {
      await client.close();
      await session.close();
    },
  };
}

/** Loaded when needed: Temporal's client takes longer to load than `--help` to print. */
function loadClient() {
  return import('../client/index.js');
}

async function connectClient(
  { env, config, storeUri }: CliContext,
  target: { readonly address?: string; readonly namespace?: string; readonly uiUrl?: string },
  baseUrl: string = config.mistral.baseUrl,
): Promise<Pick<Link, 'longhaul' | 'close'>> {
  const { Longhaul } = await loadClient();
  const codecKeys = await readCodecKeys(config);
  const options = { ...target, env, home: config.home, store: storeUri, baseUrl, codecKeys };
  const longhaul = await Longhaul.connect(options);
  return { longhaul, close: () => longhaul.close() };
}

/**
 * What the worker of the home is to run with; what is left out is left as it is there.
 */
function embeddedSettings({ env, config, storeUri }: CliContext, { choice }: LinkOptions): EmbeddedSettings {
  const codec = codecEnv(config);
  if (choice === undefined) {
    return {
      ...(config.store !== null && { storeUri }),
      // A workflow-only worker opens what Temporal keeps, too.
      ...(Object.keys(codec).length > 0 && { workerEnv: codec }),
    };
  }
  const createSettle = setting(env['LONGHAUL_CREATE_SETTLE']);
  const cancelWait = setting(env['LONGHAUL_CANCEL_WAIT']);
  const logLevel = setting(env['LONGHAUL_LOG_LEVEL']);
  return {
    ...(choice.apiKey !== null && { apiKey: choice.apiKey }),
    baseUrl: choice.baseUrl,
    storeUri,
    ...(createSettle !== undefined && { createSettle }),
    ...(cancelWait !== undefined && { cancelWait }),
    ...(logLevel !== undefined && { logLevel }),
    workerEnv: { ...workerEnv(env), ...codec },
  };
}

function setting(value: string | undefined): string | undefined {
  return isSet(value) ? value?.trim() : undefined;
}

/** What a worker of a home needs of each command's environment beyond Longhaul's own settings. */
function workerEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const passed = /^(?:AWS_.*|LONGHAUL_S3_ENDPOINT|LONGHAUL_REQUESTS_PER_SECOND|LONGHAUL_FILE_ROOTS)$/;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      passed.test(name) && value !== undefined && value !== '' ? [[name, value]] : [],
    ),
  );
}

/** Both or neither: one that another command gave must not stand beside the one given now. */
function codecEnv({ codecKeys, codecKeysFile }: CliContext['config']): Record<string, string> {
  if (codecKeys === null && codecKeysFile === null) return {};
  return {
    LONGHAUL_CODEC_KEYS: codecKeys ?? '',
    // The worker runs in another folder.
    LONGHAUL_CODEC_KEYS_FILE: codecKeysFile === null ? '' : resolve(codecKeysFile),
  };
}

function describeEvent(event: SessionEvent): string {
  switch (event.type) {
    case 'worker-exited':
      return `the worker ended (${event.message}); starting it again`;
    case 'worker-restarted':
      return `the worker runs again as process ${event.pid}`;
    case 'server-exited':
      return `the Temporal server ended (${event.message}); starting it again`;
    case 'server-restarted':
      return `the Temporal server runs again as process ${event.pid}`;
    case 'stopping':
      return `the embedded server stops: ${event.message}`;
    case 'lost':
      return event.message;
  }
}

/** Says, in configured mode, when a request will lie there until a worker comes. */
export async function warnWithoutWorkers({ longhaul }: Link, { mode, output }: CliContext): Promise<boolean> {
  if (mode === 'embedded') return true;
  try {
    const advice = adviseOnWorkers(await longhaul.workerCount());
    if (advice === null) return true;
    const problem = advice.problem.charAt(0).toUpperCase() + advice.problem.slice(1);
    output.note(`${problem}: nothing advances until that changes. ${advice.remedy}`);
    return false;
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    // Not every account may ask; the batch itself says more than this would.
    return true;
  }
}
