import { describe, expect, it } from 'vitest';
import {
  FAILURE_TYPES,
  isFailureType,
  isStorageFailure,
  isStoreLost,
  stopsBatch,
  waitsFor,
} from '../../batch/failure-types.js';
import type { FailureType } from '../../batch/failure-types.js';

const TYPES = Object.keys(FAILURE_TYPES).filter(isFailureType);

function typesWith(test: (type: FailureType) => boolean): FailureType[] {
  return TYPES.filter(test);
}

describe('the failures', () => {
  it('that a shard waits out are those of access and of quota', () => {
    expect(typesWith((type) => waitsFor(type) === 'auth')).toEqual(['ProviderAuth', 'ProviderForbidden']);
    expect(typesWith((type) => waitsFor(type) === 'quota')).toEqual(['ProviderQuota']);
    expect(typesWith((type) => waitsFor(type) === null)).toHaveLength(TYPES.length - 3);
  });

  it('that every later shard would meet too are those and the store', () => {
    expect(typesWith(stopsBatch)).toEqual([
      'ProviderAuth',
      'ProviderForbidden',
      'ProviderQuota',
      'StorageUnavailable',
      'StorageFull',
      'StorageDenied',
      'StorageMismatch',
    ]);
  });

  it('of the store are four, and two of them no wait mends', () => {
    expect(typesWith(isStorageFailure)).toEqual([
      'StorageUnavailable',
      'StorageFull',
      'StorageDenied',
      'StorageMismatch',
    ]);
    expect(typesWith(isStoreLost)).toEqual(['StorageDenied', 'StorageMismatch']);
  });

  it('that Temporal repeats are these: a create repeated by mistake would be paid for twice', () => {
    expect(typesWith((type) => FAILURE_TYPES[type].retry === 'yes')).toEqual([
      'ProviderRateLimited',
      'ProviderUnavailable',
      'ProviderAmbiguous',
      'StorageUnavailable',
      'StorageFull',
    ]);
    expect(typesWith((type) => FAILURE_TYPES[type].retry === 'few')).toEqual([
      'ProviderContract',
      'IntegrityMismatch',
    ]);
  });

  it('that a shard waits out itself are not repeated by Temporal, whose retries it could not see', () => {
    for (const type of typesWith((one) => waitsFor(one) !== null)) {
      expect(FAILURE_TYPES[type].retry, type).toBe('no');
    }
  });

  it.each(TYPES)('%s says what happened and what to do, in whole sentences', (type) => {
    const { meaning, remedy } = FAILURE_TYPES[type];
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  });
});

describe('a failure type', () => {
  it.each(['ProviderAuth', 'AccountingMismatch'])('is %s', (value) => {
    expect(isFailureType(value)).toBe(true);
  });

  it.each([
    ['providerauth'],
    ['Error'],
    [''],
    ['toString'],
    ['__proto__'],
    [null],
    [undefined],
    [7],
    [['JobFailed']],
  ])('is not %j', (value) => {
    expect(isFailureType(value)).toBe(false);
  });
});
