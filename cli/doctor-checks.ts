import { randomBytes } from 'node:crypto';
import { SEARCH_ATTRIBUTES } from '../batch/wire-names.js';
import { messageOf } from '../dev/errors.js';
import { findTemporalCli } from '../dev/temporal-cli.js';
import { openStore } from '../storage/open-store.js';
import { embeddedChoice, providerChoice } from './context.js';
import type { CliContext } from './context.js';
import { reportOf } from './errors.js';
import { openLinkIfRunning } from './link.js';
import type { Link } from './link.js';
import { adviseOnWorkers } from './worker-advice.js';

/** One thing that has to be right, and what to do when it is not. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

const MIN_NODE = { major: 20, minor: 19 } as const;

/** All checks, one after the other: a later one does not fail for what an earlier one says. */
export async function* runChecks(context: CliContext): AsyncGenerator<Check> {
  yield checkNode(process.versions.node);
  yield await attempt('store', () => checkStore(context));
  yield* checkProvider(context);
  if (context.mode === 'embedded') yield await attempt('temporal', () => checkEmbedded(context));
  else yield* checkCluster(context);
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > MIN_NODE.major || (major === MIN_NODE.major && minor >= MIN_NODE.minor);
  const remedy = `Install Node ${MIN_NODE.major}.${MIN_NODE.minor} or newer.`;
  return ok ? good('node', version) : bad('node', `${version} is too old`, remedy);
}

async function checkStore({ storeUri }: CliContext): Promise<Check> {
  const store = openStore(storeUri);
  const path = `doctor-${randomBytes(6).toString('hex')}`;
  await store.writeSmall(path, 'probe');
  const content = await store.readSmall(path);
  await store.remove(path);
  if (content !== null && Buffer.from(content).toString() === 'probe') return good('store', storeUri);
  return bad(
    'store',
    `${storeUri} does not return what was written`,
    'Check the disk or object store behind it.',
  );
}

async function* checkProvider(context: CliContext): AsyncGenerator<Check> {
  const { apiKey, baseUrl } =
    context.mode === 'embedded' ? await embeddedChoice(context) : providerChoice(context);
  if (apiKey === null) {
    yield bad(
      'key',
      'MISTRAL_API_KEY is not set',
      'Set it, or use `longhaul dev`, which brings an emulator.',
    );
    return;
  }
  yield good(
    'key',
    context.config.mistral.apiKey === null ? 'none is needed for an emulator' : 'MISTRAL_API_KEY is set',
  );
  yield await attempt('provider', async () => {
    const { createProvider } = await import('../providers/registry.js');
    const provider = createProvider('mistral', { mistral: { apiKey, baseUrl }, requestsPerSecond: null });
    try {
      await provider.checkAccount({ timeoutMs: 15_000 });
      return good('provider', `${baseUrl} accepts the key`);
    } finally {
      await provider.close();
    }
  });
}

async function checkEmbedded(context: CliContext): Promise<Check> {
  const path = await findTemporalCli({
    env: context.env,
    onProgress: (line: string) => context.output.note(line),
  });
  const link = await openLinkIfRunning(context);
  const state =
    link === null ? 'the server starts when it is needed' : `the server runs at ${link.session?.address}`;
  await link?.close();
  return good('temporal', `embedded, by ${path}; ${state}`);
}

async function* checkCluster(context: CliContext): AsyncGenerator<Check> {
  const { check, link } = await reachCluster(context);
  try {
    yield check;
    // The rest could only repeat it.
    if (!check.ok || link === null) return;
    yield await attempt('search attributes', () => checkSearchAttributes(link));
    yield await attempt('workers', () => checkWorkers(link));
  } finally {
    await link?.close();
  }
}

async function reachCluster(
  context: CliContext,
): Promise<{ readonly check: Check; readonly link: Link | null }> {
  const links: Link[] = [];
  const check = await attempt('temporal', async () => {
    // Certificates and codec keys are read here: what is wrong with them is a check that failed.
    const link = await openLinkIfRunning(context);
    if (link === null) throw new Error('no address of Temporal is set');
    links.push(link);
    await link.longhaul.ping();
    return good('temporal', `${context.address}, namespace ${link.longhaul.namespace}`);
  });
  const [link = null] = links;
  return { check, link };
}

async function checkSearchAttributes({ longhaul }: Link): Promise<Check> {
  const missing = await longhaul.missingSearchAttributes();
  if (missing.length === 0) {
    return good('search attributes', `all ${Object.keys(SEARCH_ATTRIBUTES).length} are registered`);
  }
  return bad('search attributes', `${missing.join(', ')} not registered`, 'Run `longhaul setup` once.');
}

async function checkWorkers({ longhaul }: Link): Promise<Check> {
  const count = await longhaul.workerCount();
  const detail = `workflows ${count.workflows}, provider ${count.provider}, transfer ${count.transfer}`;
  const advice = adviseOnWorkers(count);
  if (advice === null) return good('workers', detail);
  return bad('workers', `${advice.problem} (${detail})`, advice.remedy);
}

async function attempt(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    const { message, remedy, unexpected } = reportOf(error);
    return bad(name, unexpected ? messageOf(error) : message, remedy);
  }
}

function good(name: string, detail: string): Check {
  return { name, ok: true, detail, remedy: null };
}

function bad(name: string, detail: string, remedy: string | null): Check {
  return { name, ok: false, detail, remedy };
}
