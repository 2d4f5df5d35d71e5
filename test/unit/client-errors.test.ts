import {
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
  CancelledFailure,
  NamespaceNotFoundError,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { FAILURE_TYPES, isFailureType } from '../../batch/failure-types.js';
import { isRefusal, toLonghaulError } from '../../client/errors.js';
import { CLIENT_FAILURES, LonghaulError } from '../../client/failures.js';
import { StorageError } from '../../storage/errors.js';

const ADDRESS = 'temporal:7233';

function grpc(code: number, details: string): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
}

function failed(cause: Error | undefined): WorkflowFailedError {
  return new WorkflowFailedError('Workflow execution failed', cause, RetryState.NON_RETRYABLE_FAILURE);
}

describe('an error of Temporal’s client', () => {
  it.each([
    ['UnknownBatch', new WorkflowNotFoundError('not found', 'tickets', undefined), 'tickets'],
    ['UnknownSchedule', new ScheduleNotFoundError('not found', 'daily'), 'daily'],
    ['ScheduleExists', new ScheduleAlreadyRunning('exists', 'daily'), 'daily'],
    ['TemporalRefused', new NamespaceNotFoundError('prod'), 'no namespace prod'],
    ['NoWorker', new WorkflowUpdateRPCTimeoutOrCancelledError('timed out'), 'no worker answered'],
    ['NoWorker', new QueryNotRegisteredError('no query progress', 3), 'no query progress'],
    ['TemporalUnavailable', new ServiceError('x', { cause: grpc(14, 'ECONNREFUSED') }), 'ECONNREFUSED'],
    ['TemporalUnavailable', grpc(4, 'Deadline exceeded after 10s'), 'did not answer in time'],
    ['TemporalUnavailable', grpc(8, 'namespace rate limit'), 'namespace rate limit'],
    ['TemporalRefused', grpc(7, 'Request unauthorized.'), 'Request unauthorized.'],
    ['TemporalRefused', grpc(3, 'invalid query'), 'invalid query'],
  ])('becomes %s', (type, error, words) => {
    const known = toLonghaulError(error, ADDRESS);
    expect(known).toMatchObject({ name: 'LonghaulError', type, cause: error });
    expect(known.message).toContain(words);
  });

  it('names the server that is not there', () => {
    expect(toLonghaulError(grpc(14, 'x'), ADDRESS).message).toContain(ADDRESS);
  });
});

describe('the end of a workflow', () => {
  it('carries the failure’s type and words', () => {
    const cause = ApplicationFailure.nonRetryable('line 3 is no JSON', 'InvalidInput');
    expect(toLonghaulError(failed(cause), ADDRESS)).toMatchObject({
      type: 'InvalidInput',
      message: 'line 3 is no JSON',
      remedy: FAILURE_TYPES.InvalidInput.remedy,
    });
  });

  it('asks for what helps a batch that has ended', () => {
    const cause = ApplicationFailure.nonRetryable('401', 'ProviderAuth');
    expect(toLonghaulError(failed(cause), ADDRESS)).toMatchObject({
      remedy: FAILURE_TYPES.ProviderAuth.ended,
    });
    expect(new LonghaulError('ProviderAuth', '401').remedy).toBe(FAILURE_TYPES.ProviderAuth.remedy);
  });

  it.each([
    [new TerminatedFailure('by hand'), 'terminated in Temporal: by hand'],
    [new TimeoutFailure('late', undefined, TimeoutType.START_TO_CLOSE), 'time limit'],
    [new CancelledFailure('cancelled'), 'without an account'],
    [ApplicationFailure.nonRetryable('boom', 'TypeError'), 'boom'],
    [undefined, 'Workflow execution failed'],
  ])('without an account is BatchTerminated: %s', (cause, words) => {
    const error = toLonghaulError(failed(cause), ADDRESS);
    expect(error).toMatchObject({ type: 'BatchTerminated' });
    expect(error.message).toContain(words);
  });

  it('of an update is the validator’s word', () => {
    const cause = ApplicationFailure.nonRetryable('mode is "keep" or "discard"', 'InvalidInput');
    const error = toLonghaulError(new WorkflowUpdateFailedError('Workflow Update failed', cause), ADDRESS);
    expect(error).toMatchObject({ type: 'InvalidInput', message: 'mode is "keep" or "discard"' });
  });
});

describe('other errors', () => {
  it('of the store keep their type', () => {
    const error = toLonghaulError(new StorageError('StorageDenied', 'a/manifest.json', 'no'), ADDRESS);
    expect(error).toMatchObject({ type: 'StorageDenied', message: 'no' });
  });

  it('that are bugs or known already come back as they are', () => {
    const bug = new TypeError('x is not a function');
    const known = new LonghaulError('NoWorker', 'x');
    expect(toLonghaulError(bug, ADDRESS)).toBe(bug);
    expect(toLonghaulError(known, ADDRESS)).toBe(known);
  });
});

it('tells what a server does not offer from what is wrong', () => {
  expect(isRefusal(grpc(7, 'no'))).toBe(true);
  expect(isRefusal(new ServiceError('x', { cause: grpc(12, 'unknown service') }))).toBe(true);
  expect(isRefusal(grpc(14, 'away'))).toBe(false);
  expect(isRefusal(new Error('x'))).toBe(false);
});

it('gives every failure a remedy, and no name twice', () => {
  for (const [type, { meaning, remedy }] of Object.entries(CLIENT_FAILURES)) {
    expect(isFailureType(type)).toBe(false);
    expect([meaning, remedy].every((text) => text.endsWith('.'))).toBe(true);
  }
});
