import { describe, expect, test } from 'vitest';
import { isFinal, readStreak, streakWith } from '../../batch/failure-streak.js';
import type { FailureStreak } from '../../batch/failure-streak.js';
import type { FailureType } from '../../batch/failure-types.js';

function failing(types: readonly FailureType[]): FailureStreak | null {
  return types.reduce<FailureStreak | null>((before, type) => streakWith(before, type), null);
}

describe('a failure that is retried a few times', () => {
  test('is final at the fifth in a row', () => {
    const four: readonly FailureType[] = Array.from({ length: 4 }, () => 'IntegrityMismatch' as const);
    const before = failing(four);
    expect(before !== null && isFinal(before)).toBe(false);
    expect(isFinal(streakWith(before, 'IntegrityMismatch'))).toBe(true);
  });

  test('is not made final by failures of another type before it', () => {
    const outage: readonly FailureType[] = Array.from({ length: 100 }, () => 'ProviderUnavailable' as const);
    expect(isFinal(streakWith(failing(outage), 'IntegrityMismatch'))).toBe(false);
  });

  test('begins anew after a failure of another type', () => {
    const types = [
      'ProviderContract',
      'ProviderContract',
      'ProviderUnavailable',
      'ProviderContract',
    ] as const;
    expect(failing(types)).toEqual({ type: 'ProviderContract', attempts: 1 });
  });
});

test('a failure that is retried for ever never becomes final, one that is not is so at once', () => {
  expect(isFinal({ type: 'StorageFull', attempts: 1_000 })).toBe(false);
  expect(isFinal(streakWith(null, 'ProviderRejected'))).toBe(true);
});

test('what an earlier attempt left is read if it can be understood', () => {
  const streak = { type: 'ProviderContract', attempts: 3 };
  expect(readStreak(JSON.parse(JSON.stringify(streak)))).toEqual(streak);
  const others = [undefined, null, 'hashed 3 of 5 bytes', 7, {}, { type: 'Nonsense', attempts: 3 }];
  const spoilt = [0, -1, 1.5, '3', null].map((attempts) => ({ ...streak, attempts }));
  expect([...others, ...spoilt].map(readStreak)).toEqual([...others, ...spoilt].map(() => null));
});
