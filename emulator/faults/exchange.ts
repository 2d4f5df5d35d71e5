import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { errorForStatus, errorVariant, withHeaders } from '../errors.js';
import type { ErrorReply } from '../errors.js';
import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { RequestContext } from '../request-context.js';
import type { EmulatorState } from '../state.js';
import type { ExchangeFault, Fault, When } from './fault.js';

type StatusFault = Extract<ExchangeFault, { readonly type: 'status' }>;
type HoldFault = Extract<ExchangeFault, { readonly type: 'hold' }>;

/** Draws the faults that strike a request and notes them in the journal. Needs the parsed body, if there is one. */
export function chooseFaults(state: EmulatorState, request: FastifyRequest, context: RequestContext): void {
  context.faults = state.faults.faultsFor({
    route: context.route,
    path: context.entry.path,
    query: context.entry.query,
    metadata: metadataOf(state, request, context),
  });
  if (context.faults.length > 0) {
    state.journal.update(context.entry, { fault: context.faults.map((fault) => fault.type).join('+') });
  }
}

/** Metadata of the job that a request is about: the one it creates, names in its path, or whose result file it names. */
function metadataOf(state: EmulatorState, request: FastifyRequest, context: RequestContext): Fields | null {
  if (context.route === 'createJob') {
    const metadata = isFields(request.body) ? request.body['metadata'] : null;
    return isFields(metadata) ? metadata : null;
  }
  const { job_id: jobId, file_id: fileId } = isFields(request.params) ? request.params : {};
  if (context.workspace === null || (jobId ?? fileId) === undefined) return null;
  const job = state.jobs
    .list(context.workspace)
    .find(({ id, end }) => id === jobId || [end?.outputFile, end?.errorFile].includes(String(fileId)));
  return job?.request.metadata ?? null;
}

/** Waits as a slow server does: to the end, even if the client does not. Only closing the emulator cuts it short. */
export async function applyLatency(state: EmulatorState, context: RequestContext): Promise<void> {
  const extra = context.faults.reduce((sum, fault) => sum + (fault.type === 'latency' ? fault.ms : 0), 0);
  const ms = state.settings.latencyMs + extra;
  if (ms > 0) await sleep(ms, undefined, { signal: state.closing.signal }).catch(() => undefined);
}

/**
 * Holds the request, if a fault says so. False if it must not go on: its client has gone, and the rule does not let
 * it take effect all the same.
 */
export async function holdRequest(
  state: EmulatorState,
  context: RequestContext,
  when: When,
): Promise<boolean> {
  const holds = context.faults.filter(
    (fault): fault is HoldFault => fault.type === 'hold' && fault.when === when,
  );
  for (const fault of holds) {
    const proceed = when === 'before' && fault.ifAborted === 'proceed';
    const end = await state.holds.wait(context.route, proceed ? null : context.gone);
    if (end === 'aborted') return false;
  }
  return true;
}

export function statusFault(faults: readonly Fault[], when: When): StatusFault | undefined {
  return faults.find((fault): fault is StatusFault => fault.type === 'status' && fault.when === when);
}

export function wantsReset(faults: readonly Fault[], when: When): boolean {
  return faults.some((fault) => fault.type === 'reset' && fault.when === when);
}

export function replyFor(fault: StatusFault): ErrorReply {
  const reply =
    fault.variant === null ? errorForStatus(fault.status) : errorVariant(fault.variant, fault.status);
  return fault.retryAfter === null ? reply : withHeaders(reply, { 'retry-after': String(fault.retryAfter) });
}

/** Breaks the connection off without an answer, as a dying gateway does. */
export function breakOff(
  request: FastifyRequest,
  reply: FastifyReply,
  context: RequestContext,
): FastifyReply {
  context.cutByUs = true;
  reply.hijack();
  if (!request.raw.socket.destroyed) request.raw.socket.resetAndDestroy();
  return reply;
}
