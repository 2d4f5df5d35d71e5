import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../batch/wire-names.js';
import type { SearchAttributeName } from '../batch/wire-names.js';
import { isRefusal } from './errors.js';
import { LonghaulError } from './failures.js';
import { pause } from './pause.js';
import type { Temporal } from './temporal.js';

/** `IndexedValueType` of Temporal's API. */
const VALUE_TYPES = { Keyword: 2, Int: 3 } as const;

/** How long a server may take to show what was added: its cluster metadata is cached. */
const SHOWN_WITHIN_MS = 30_000;

function isSearchAttribute(name: string): name is SearchAttributeName {
  return Object.hasOwn(SEARCH_ATTRIBUTES, name);
}

const NAMES = Object.keys(SEARCH_ATTRIBUTES).filter(isSearchAttribute);

/** Those that are not registered in the namespace. Throws NotSetUp for one that has another type. */
export function missingSearchAttributes(temporal: Temporal): Promise<SearchAttributeName[]> {
  return temporal.call((client) => findMissing(client, temporal.namespace));
}

async function findMissing(client: Client, namespace: string): Promise<SearchAttributeName[]> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const wrong = NAMES.filter((name) => (customAttributes[name] ?? typeOf(name)) !== typeOf(name));
  if (wrong.length > 0) {
    const must = wrong.map((name) => `${name} must be ${SEARCH_ATTRIBUTES[name]}`).join(', ');
    throw new LonghaulError(
      'NotSetUp',
      `search attributes of namespace ${namespace} have another type: ${must}; remove them, or use another namespace`,
    );
  }
  return NAMES.filter((name) => !Object.hasOwn(customAttributes, name));
}

function typeOf(name: SearchAttributeName): number {
  return VALUE_TYPES[SEARCH_ATTRIBUTES[name]];
}

/**
 * An unregistered search attribute blocks a workflow's task for good, so nothing is started without them.
 * Where the server doesn't let clients look (Temporal Cloud has no operator service), the worker's start says it.
 */
export async function assertSetUp(temporal: Temporal): Promise<void> {
  const missing = await temporal.call(async (client) => {
    try {
      return await findMissing(client, temporal.namespace);
    } catch (error) {
      if (isRefusal(error)) return [];
      throw error;
    }
  });
  if (missing.length === 0) return;
  throw new LonghaulError(
    'NotSetUp',
    `namespace ${temporal.namespace} lacks the search attributes ${missing.join(', ')}: run \`longhaul setup\` once`,
  );
}

/** Registers what is missing, waits until the server shows it, and returns what was added. */
export async function registerSearchAttributes(temporal: Temporal): Promise<SearchAttributeName[]> {
  const missing = await missingSearchAttributes(temporal);
  if (missing.length === 0) return [];
  const { namespace } = temporal;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, typeOf(name)]));
  await temporal.call(async (client) => {
    try {
      await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    } catch (error) {
      // Somebody else may have been faster; what is still missing is the error then.
      if ((await findMissing(client, namespace)).length > 0) throw error;
    }
  });
  const until = Date.now() + SHOWN_WITHIN_MS;
  while ((await missingSearchAttributes(temporal)).length > 0) {
    if (Date.now() > until) {
      throw new LonghaulError('NotSetUp', `Temporal does not show the new search attributes of ${namespace}`);
    }
    await pause(200);
  }
  return missing;
}
