/** How a cancelled batch ends: with what was answered so far, or without looking. */
export type CancelMode = 'keep' | 'discard';

/** Argument of the signal and of the update `cancel`. */
export interface CancelRequest {
  readonly mode?: CancelMode;
  readonly reason?: string;
}

export interface CancelState {
  readonly mode: CancelMode;
  readonly reason: string | null;
  /** A Temporal cancel request ends the workflow as Canceled; signal and update end it as Completed. */
  readonly via: 'request' | 'message';
}

export interface ControlState {
  readonly cancel: CancelState | null;
  readonly paused: boolean;
}

export const NO_CONTROL: ControlState = { cancel: null, paused: false };

/** A second cancel may turn keep into discard and nothing else: what was asked first stays. */
export function withCancel(
  state: ControlState,
  request: CancelRequest,
  via: CancelState['via'],
): ControlState {
  const mode = request.mode ?? 'keep';
  if (state.cancel === null) return { ...state, cancel: { mode, reason: request.reason ?? null, via } };
  if (mode === 'discard' && state.cancel.mode === 'keep') {
    return { ...state, cancel: { ...state.cancel, mode } };
  }
  return state;
}

/** Why a cancel request's argument is refused, or null. Messages from other languages are not typed; null is absent. */
export function cancelRequestProblem(request: unknown): string | null {
  if (request === undefined || request === null) return null;
  if (typeof request !== 'object') return 'cancel takes an object {mode, reason}';
  const { mode, reason } = fieldsOf(request);
  if (mode !== undefined && mode !== 'keep' && mode !== 'discard') return 'mode is "keep" or "discard"';
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > 1000)) {
    return 'reason is a text of at most 1000 characters';
  }
  return null;
}

/** What of a request can be understood: a cancel is never lost for a field that can't. */
export function parseCancelRequest(request: unknown): CancelRequest {
  if (typeof request !== 'object' || request === null) return {};
  const { mode, reason } = fieldsOf(request);
  return {
    ...(mode === 'keep' || mode === 'discard' ? { mode } : {}),
    ...(typeof reason === 'string' ? { reason: reason.slice(0, 1000) } : {}),
  };
}

function fieldsOf(request: object): { readonly mode: unknown; readonly reason: unknown } {
  const mode: unknown = 'mode' in request ? request.mode : undefined;
  const reason: unknown = 'reason' in request ? request.reason : undefined;
  return { mode: mode ?? undefined, reason: reason ?? undefined };
}

export type ControlMessage = 'cancel' | 'pause' | 'resume';

/** What a shard that knows of `given` must still be told, for it to know of `now`. */
export function messagesFor(given: ControlState, now: ControlState): readonly ControlMessage[] {
  const messages: ControlMessage[] = [];
  if (now.cancel !== null && now.cancel.mode !== given.cancel?.mode) messages.push('cancel');
  if (now.paused !== given.paused) messages.push(now.paused ? 'pause' : 'resume');
  return messages;
}
