import { expect, test } from 'vitest';
import * as wireNames from '../../batch/wire-names.js';

test('names that other processes, versions and languages rely on are never changed', () => {
  expect({ ...wireNames }).toEqual({
    TASK_QUEUES: { workflows: 'longhaul', provider: 'longhaul-provider', transfer: 'longhaul-transfer' },
    WORKFLOW_TYPES: { runBatch: 'runBatch', runShard: 'runShard' },
    SIGNALS: {
      cancel: 'cancel',
      pause: 'pause',
      resume: 'resume',
      pollNow: 'pollNow',
      shardPhase: 'shardPhase',
    },
    UPDATES: { cancel: 'cancel', pause: 'pause', resume: 'resume', pollNow: 'pollNow' },
    QUERIES: { progress: 'progress' },
    SEARCH_ATTRIBUTES: {
      LonghaulProvider: 'Keyword',
      LonghaulModel: 'Keyword',
      LonghaulEndpoint: 'Keyword',
      LonghaulPhase: 'Keyword',
      LonghaulOutcome: 'Keyword',
      LonghaulRows: 'Int',
      LonghaulRowsFailed: 'Int',
    },
    MEMO: { fingerprint: 'longhaulFingerprint', summary: 'longhaulSummary' },
    JOB_METADATA: {
      prefix: 'longhaul_',
      key: 'longhaul_key',
      batch: 'longhaul_batch',
      run: 'longhaul_run',
    },
  });
});
