import { describe, expect, it } from 'vitest';
import { adviseOnWorkers } from '../../cli/worker-advice.js';

const NONE = { workflows: 0, provider: 0, transfer: 0, passedOver: [] };
const OLD = { deploymentName: 'longhaul', buildId: '1.0' };
const NEW = { deploymentName: 'longhaul', buildId: '2.0' };

describe('advice on a cluster’s workers', () => {
  it('is none where each queue has a worker that gets its tasks, whatever other versions do', () => {
    const served = { workflows: 1, provider: 1, transfer: 2, passedOver: [OLD, null] };
    expect(adviseOnWorkers(served)).toBeNull();
  });

  it('is to start one where there is none, or none for some queue', () => {
    const remedy = 'Start one with `longhaul worker`.';
    expect(adviseOnWorkers(NONE)).toEqual({ problem: 'no worker polls Longhaul’s task queues', remedy });
    const some = { problem: 'no worker that gets tasks polls some of Longhaul’s task queues' };
    expect(adviseOnWorkers({ ...NONE, workflows: 3 })).toEqual({ ...some, remedy });
    expect(adviseOnWorkers({ ...NONE, workflows: 3, passedOver: [OLD] })).toEqual({
      ...some,
      remedy: 'Start one with `longhaul worker`, of the version that is current.',
    });
  });

  it('is to make a version current where those that are there have another', () => {
    const advice = adviseOnWorkers({ ...NONE, passedOver: [null, NEW] });
    expect(advice?.problem).toContain('not the current one (2.0 of longhaul)');
    expect(advice?.remedy).toContain('set-current-version --deployment-name longhaul --build-id 2.0`');
  });

  it('names none of several versions: one of them may be leaving', () => {
    const advice = adviseOnWorkers({ ...NONE, passedOver: [OLD, NEW] });
    expect(advice?.problem).toContain('(1.0 of longhaul, 2.0 of longhaul)');
    expect(advice?.remedy).toContain('--deployment-name … --build-id …`');
  });

  it('is to give workers a version where another one is current', () => {
    const advice = adviseOnWorkers({ ...NONE, passedOver: [null] });
    expect(advice?.problem).toContain('have no version');
    expect(advice?.remedy).toContain('LONGHAUL_BUILD_ID');
  });
});
