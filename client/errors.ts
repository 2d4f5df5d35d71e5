import {
  isGrpcCancelledError,
  isGrpcServiceError,
  QueryNotRegisteredError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  NamespaceNotFoundError,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { isFailureType } from '../batch/failure-types.js';
import { StorageError } from '../storage/errors.js';
import { LonghaulError } from './failures.js';

/** Codes of gRPC (https://grpc.io/docs/guides/status-codes/); grpc-js itself is not a dependency of ours. */
const GRPC = {
  invalidArgument: 3,
  deadline: 4,
  notFound: 5,
  denied: 7,
  unimplemented: 12,
  unauthenticated: 16,
};

/** Turns what Temporal's client and the store throw into `LonghaulError`; bugs and aborts come back as they are. */
export function toLonghaulError(error: unknown, address: string): Error {
  if (error instanceof LonghaulError) return error;
  if (error instanceof StorageError) return fromStorageError(error);
  return temporalError(error, address) ?? (error instanceof Error ? error : new Error(String(error)));
}

function fromStorageError(error: StorageError): LonghaulError {
  return new LonghaulError(error.type, error.message, { cause: error });
}

/** For code that only touches the store; what is not the store's comes back as it is. */
export function fromStore(error: unknown): unknown {
  return error instanceof StorageError ? fromStorageError(error) : error;
}

function temporalError(error: unknown, address: string): LonghaulError | null {
  const make = (type: LonghaulError['type'], message: string) =>
    new LonghaulError(type, message, { cause: error });
  if (error instanceof WorkflowNotFoundError) {
    return make('UnknownBatch', `Temporal at ${address} knows no open batch ${error.workflowId}`);
  }
  if (error instanceof ScheduleNotFoundError) {
    return make('UnknownSchedule', `there is no schedule ${error.scheduleId} at ${address}`);
  }
  if (error instanceof ScheduleAlreadyRunning) {
    return make('ScheduleExists', `there is a schedule ${error.scheduleId} already`);
  }
  if (error instanceof NamespaceNotFoundError) {
    return make('TemporalRefused', `Temporal at ${address} has no namespace ${error.namespace}`);
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return make(
      'NoWorker',
      'no worker answered within 10 seconds; one that comes later may still take the request',
    );
  }
  if (error instanceof QueryNotRegisteredError) {
    return make('NoWorker', `no worker of this version answers: ${error.message}`);
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return (
      fromApplicationFailure(error.cause, error) ??
      make('InvalidInput', `the batch refused the request: ${error.cause?.message ?? error.message}`)
    );
  }
  if (error instanceof WorkflowFailedError) return workflowFailure(error);
  return grpcError(error, address);
}

function grpcError(error: unknown, address: string): LonghaulError | null {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return null;
  const options = { cause: error };
  const { code, details } = cause;
  const refused = [
    GRPC.denied,
    GRPC.unauthenticated,
    GRPC.invalidArgument,
    GRPC.notFound,
    GRPC.unimplemented,
  ];
  if (refused.includes(code)) {
    return new LonghaulError(
      'TemporalRefused',
      `Temporal at ${address} refused the call: ${details}`,
      options,
    );
  }
  const why = code === GRPC.deadline ? 'it did not answer in time' : details;
  return new LonghaulError('TemporalUnavailable', `can't reach Temporal at ${address}: ${why}`, options);
}

/** What the server says against a schedule as `InvalidInput`; anything else comes back as it is. */
export function fromScheduleRefusal(error: unknown, scheduleId: string): unknown {
  const reason = scheduleRefusal(error);
  if (reason === null) return error;
  return new LonghaulError('InvalidInput', `Temporal refuses the schedule ${scheduleId}: ${reason}`, {
    cause: error,
  });
}

function scheduleRefusal(error: unknown): string | null {
  // What the SDK makes of an answer that begins with "Invalid schedule spec".
  if (error instanceof TypeError) return error.message;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && cause.code === GRPC.invalidArgument ? cause.details : null;
}

/** Temporal answered, and does not offer or allow the call: Temporal Cloud's operator service, old servers. */
export function isRefusal(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return (
    isGrpcServiceError(cause) &&
    [GRPC.denied, GRPC.unauthenticated, GRPC.unimplemented].some((code) => code === cause.code)
  );
}

export function isAborted(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || isGrpcCancelledError(error));
}

/** Why a workflow closed without an account of its own. */
export function workflowFailure(error: WorkflowFailedError): LonghaulError {
  const { cause } = error;
  if (cause instanceof TerminatedFailure) {
    return terminated(`the batch's workflow was terminated in Temporal: ${cause.message}`, error);
  }
  if (cause instanceof TimeoutFailure) {
    return terminated('the batch’s workflow was ended by a time limit in Temporal', error);
  }
  return (
    fromApplicationFailure(cause, error, true) ??
    terminated(`the batch's workflow ended without an account: ${cause?.message ?? error.message}`, error)
  );
}

function terminated(message: string, cause: unknown): LonghaulError {
  return new LonghaulError('BatchTerminated', message, { cause });
}

function fromApplicationFailure(failure: unknown, cause: unknown, ended = false): LonghaulError | null {
  if (!(failure instanceof ApplicationFailure) || !isFailureType(failure.type)) return null;
  return new LonghaulError(failure.type, failure.message, { cause, ended });
}
