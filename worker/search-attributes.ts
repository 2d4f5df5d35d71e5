import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../batch/wire-names.js';
import { LonghaulError } from '../client/failures.js';

/** gRPC status codes. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/**
 * An unregistered search attribute blocks a workflow's task for good, so a worker does not start without them.
 * @throws LonghaulError naming the missing ones and the command that registers them, or the missing namespace.
 */
export async function assertSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const registered = await listed(connection, namespace);
  if (registered === null) return;
  const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !Object.hasOwn(registered, name));
  if (missing.length === 0) return;
  throw new LonghaulError(
    'NotSetUp',
    `the namespace ${namespace} lacks the search attributes ${missing.join(', ')}; run \`longhaul setup\` once and start again`,
  );
}

/** Null where the server keeps the list to its operators, as a hosted one may: then it can't be checked. */
async function listed(connection: NativeConnection, namespace: string): Promise<object | null> {
  try {
    return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === PERMISSION_DENIED || code === UNIMPLEMENTED) return null;
    if (code !== NOT_FOUND) throw error;
    throw new LonghaulError('TemporalRefused', `Temporal has no namespace ${namespace}`, { cause: error });
  }
}
