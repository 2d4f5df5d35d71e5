import { Readable } from 'node:stream';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { identify } from './auth.js';
import { ApiError, unauthorized } from './errors.js';
import type { ErrorReply } from './errors.js';
import { applyBodyFaults } from './faults/body-faults.js';
import {
  applyLatency,
  breakOff,
  chooseFaults,
  holdRequest,
  replyFor,
  statusFault,
  wantsReset,
} from './faults/exchange.js';
import { isFields } from './json.js';
import type { JournalEntry } from './journal.js';
import { contextOf, findContext, setContext } from './request-context.js';
import type { RequestContext } from './request-context.js';
import { routeNameOf } from './route-names.js';
import type { RouteName } from './route-names.js';
import type { EmulatorState } from './state.js';

/** Uploads are held once their bytes have arrived: a held, unread body would hide that its client has gone. */
const HELD_BY_THE_ROUTE = 'uploadFile';

/** The emulator's own routes: looking at it must not change what there is to see. */
const OWN_PATHS = '/_emulator/';

/** Entries of requests that no route of the API has taken; no fault strikes those. */
const strays = new WeakMap<FastifyRequest, JournalEntry>();

export function sendError(reply: FastifyReply, error: ErrorReply): FastifyReply {
  return reply.code(error.status).headers(error.headers).send(error.body);
}

function record(state: EmulatorState, request: FastifyRequest, route: RouteName | null): JournalEntry | null {
  const [path = '', query = ''] = request.url.split(/\?(.*)/su);
  if (path.startsWith(OWN_PATHS)) return null;
  const at = new Date(state.settings.now()).toISOString();
  const key = identify(request)?.key ?? null;
  return state.journal.record({ at, method: request.method, path, query, route, key });
}

/** Answers a request whose path can't be decoded: the server has no route for it, and calls no hooks. */
export function refuseUnreadable(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
  error: ErrorReply,
): void {
  const entry = record(state, request, null);
  if (entry !== null) state.journal.update(entry, { status: error.status });
  sendError(reply, error);
}

function openContext(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
): RequestContext | null {
  const route = routeNameOf(request.method, request.routeOptions.url);
  const entry = record(state, request, route);
  if (entry === null) return null;
  if (route === null) {
    strays.set(request, entry);
    return null;
  }
  const gone = new AbortController();
  const context: RequestContext = {
    route,
    entry,
    workspace: identify(request)?.workspace ?? null,
    gone: gone.signal,
    faults: [],
    cutByUs: false,
  };
  setContext(request, context);
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished) return;
    gone.abort();
    if (!context.cutByUs) state.journal.update(entry, { aborted: true });
  });
  return context;
}

/** What happens before the route's handler. Ends the request itself if a fault says so. */
async function beforeHandling(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const context = contextOf(request);
  chooseFaults(state, request, context);
  await applyLatency(state, context);
  if (state.closing.signal.aborted || wantsReset(context.faults, 'before')) {
    return breakOff(request, reply, context);
  }
  const refused = statusFault(context.faults, 'before');
  if (refused !== undefined) return sendError(reply, replyFor(refused));
  if (context.route !== HELD_BY_THE_ROUTE && !(await holdRequest(state, context, 'before'))) {
    return breakOff(request, reply, context);
  }
  await state.jobs.settle();
  await state.files.removeExpired();
  return undefined;
}

/** What happens between the effect and its answer. Returns the payload that is sent. */
async function afterHandling(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const context = findContext(request);
  if (context === undefined) {
    const stray = strays.get(request);
    if (stray !== undefined) state.journal.update(stray, { status: reply.statusCode });
    return payload;
  }
  await holdRequest(state, context, 'after');
  if (wantsReset(context.faults, 'after')) {
    context.cutByUs = true;
    request.raw.socket.resetAndDestroy();
    return payload;
  }
  const lost = statusFault(context.faults, 'after');
  const raw = context.faults.find((fault) => fault.type === 'rawBody');
  let sent = payload;
  if (lost !== undefined) {
    const error = replyFor(lost);
    reply.code(error.status).headers(error.headers).removeHeader('content-length');
    sent = error.body;
  } else if (raw !== undefined) {
    reply.header('content-type', raw.contentType).removeHeader('content-length');
    sent = raw.body;
  }
  if (sent !== payload && payload instanceof Readable) payload.destroy();
  if (!context.gone.aborted) state.journal.update(context.entry, { status: reply.statusCode });
  return sent;
}

/** Journal, authentication and faults, around every API route of this scope. */
export function addExchangeHooks(app: FastifyInstance, state: EmulatorState): void {
  app.addHook('onRequest', async (request, reply) => {
    const context = openContext(state, request, reply);
    if (context !== null && context.workspace === null && context.route !== 'signedDownload') {
      throw new ApiError(unauthorized());
    }
  });
  app.addHook('preHandler', async (request, reply) =>
    findContext(request) === undefined ? undefined : beforeHandling(state, request, reply),
  );
  app.addHook('preSerialization', async (request, _reply, payload) => {
    const context = findContext(request);
    return context !== undefined && isFields(payload) ? applyBodyFaults(context.faults, payload) : payload;
  });
  app.addHook('onSend', async (request, reply, payload) => afterHandling(state, request, reply, payload));
}
