import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_TYPES, isFailureType } from '../../batch/failure-types.js';
import { afterCreateFailure, quotaWaitMs, rivalWaitMs } from '../../batch/wait-policy.js';

const MINUTE = 60_000;

describe('a wait for quota', () => {
  it('is a minute at first, doubles, and ends at half an hour', () => {
    const minutes = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => quotaWaitMs(attempt) / MINUTE);
    expect(minutes).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('is half an hour however often it was waited for', () => {
    fc.assert(fc.property(fc.integer({ min: 5 }), (attempt) => quotaWaitMs(attempt) === 30 * MINUTE));
  });
});

it('the wait for a shard of an earlier run is ten seconds at first, doubles, and ends at five minutes', () => {
  const seconds = [0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => rivalWaitMs(attempt) / 1_000);
  expect(seconds).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
});

describe('a create that failed', () => {
  it.each([
    ['ProviderAuth', 401, true, 'wait-auth'],
    ['ProviderAuth', 401, false, 'end-shard'],
    ['ProviderForbidden', 403, true, 'wait-auth'],
    ['ProviderForbidden', 403, false, 'end-shard'],
    ['ProviderQuota', 402, true, 'wait-quota'],
    ['ProviderQuota', 402, false, 'end-shard'],
    ['ProviderQuota', 429, true, 'wait-quota'],
    ['ProviderQuota', 429, false, 'wait-quota'],
    ['ProviderQuota', null, false, 'wait-quota'],
    ['ProviderRejected', 422, true, 'job-failed'],
    ['ProviderRejected', 400, false, 'job-failed'],
    ['ProviderNotFound', 404, true, 'job-failed'],
    ['ProviderNotFound', 404, false, 'job-failed'],
  ] as const)('with %s (%s), a job before it: %s, makes the shard %s', (type, status, hadJob, action) => {
    expect(afterCreateFailure(type, { status, hadJob })).toBe(action);
  });

  it('with anything else ends the shard, whose account says why', () => {
    const others = Object.keys(FAILURE_TYPES)
      .filter(isFailureType)
      .filter((type) => {
        const actions = [true, false].map((hadJob) => afterCreateFailure(type, { status: null, hadJob }));
        return actions.every((action) => action === 'end-shard');
      });
    expect(others).toEqual([
      'InvalidInput',
      'DuplicateCustomId',
      'InputTooLarge',
      'InputNotAllowed',
      'FingerprintMismatch',
      'ProviderRateLimited',
      'ProviderUnavailable',
      'ProviderAmbiguous',
      'ProviderContract',
      'JobFailed',
      'DeadlineExceeded',
      'IntegrityMismatch',
      'StorageUnavailable',
      'StorageFull',
      'StorageDenied',
      'StorageMismatch',
      'AccountingMismatch',
    ]);
  });
});
