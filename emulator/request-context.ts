import type { FastifyRequest } from 'fastify';

import { ApiError, unauthorized } from './errors.js';
import type { Fault } from './faults/fault.js';
import type { JournalEntry } from './journal.js';
import type { RouteName } from './route-names.js';

/** What the emulator knows about an API request beside the request itself. */
export interface RequestContext {
  readonly route: RouteName;
  readonly entry: JournalEntry;
  readonly workspace: string | null;
  /** Fires when the client goes away before it has the whole answer. */
  readonly gone: AbortSignal;
  faults: readonly Fault[];
  /** The emulator itself broke the connection off. */
  cutByUs: boolean;
}

const contexts = new WeakMap<FastifyRequest, RequestContext>();

export function setContext(request: FastifyRequest, context: RequestContext): void {
  contexts.set(request, context);
}

/** Undefined for the emulator's own routes and for unknown ones. */
export function findContext(request: FastifyRequest): RequestContext | undefined {
  return contexts.get(request);
}

export function contextOf(request: FastifyRequest): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error(`Request ${request.method} ${request.url} has no context.`);
  return context;
}

export function workspaceOf(request: FastifyRequest): string {
  const { workspace } = contextOf(request);
  if (workspace === null) throw new ApiError(unauthorized());
  return workspace;
}
