import { expect, test } from 'vitest';
import { DEFAULTS } from '../../batch/settings.js';

test('the defaults stay: what they say is part of fingerprints and of which jobs are found again', () => {
  expect(DEFAULTS).toEqual({
    provider: 'mistral',
    jobTimeoutMs: 86_400_000,
    deadlineFactor: 1.5,
    maxRounds: 3,
    maxJobs: 4,
    poll: { minMs: 5_000, maxMs: 600_000 },
    createSettleMs: 120_000,
    cancelWaitMs: 900_000,
  });
});
