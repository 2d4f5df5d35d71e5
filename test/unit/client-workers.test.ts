import { expect, it } from 'vitest';
import { pollersOf } from '../../client/workers.js';
import type { TaskQueueDescription } from '../../client/workers.js';

const NOW_MS = Date.parse('2026-11-26T12:00:00Z');
/** temporal.api.enums.v1.WorkerVersioningMode */
const VERSIONED = 2;

interface Version {
  readonly deploymentName: string;
  readonly buildId: string;
}
const version = (buildId: string): Version => ({ deploymentName: 'longhaul', buildId });

/** Somebody who polled so many seconds ago; null: a worker without a version. */
function poller(identity: string, of: Version | null, secondsAgo = 5) {
  return {
    identity,
    lastAccessTime: { seconds: NOW_MS / 1000 - secondsAgo },
    deploymentOptions: of === null ? null : { ...of, workerVersioningMode: VERSIONED },
  };
}

function described(
  pollers: readonly ReturnType<typeof poller>[],
  versioningInfo: TaskQueueDescription['versioningInfo'] = null,
) {
  return pollersOf({ pollers, versioningInfo }, NOW_MS);
}

it('a worker without a version counts where no version is current', () => {
  expect(described([poller('a', null), poller('b', null)])).toEqual({ served: 2, passedOver: [] });
});

it('a worker that has not asked for a minute counts no longer, nor does one count twice', () => {
  const pollers = [poller('a', null), poller('a', null), poller('b', null, 80)];
  expect(described(pollers)).toEqual({ served: 1, passedOver: [] });
});

it('a worker whose version is not current gets no task, and is named', () => {
  const pollers = [poller('a', version('2')), poller('b', version('2')), poller('c', version('10'))];
  expect(described(pollers)).toEqual({ served: 0, passedOver: [version('10'), version('2')] });
  expect(described(pollers, { currentDeploymentVersion: version('2') })).toEqual({
    served: 2,
    passedOver: [version('10')],
  });
});

it('a worker without a version gets no task once a version is current', () => {
  const info = { currentDeploymentVersion: version('2') };
  expect(described([poller('a', null), poller('b', version('2'))], info)).toEqual({
    served: 1,
    passedOver: [null],
  });
});

it('a version that tasks are moving to counts beside the current one', () => {
  const moving = {
    currentDeploymentVersion: version('1'),
    rampingDeploymentVersion: version('2'),
    rampingVersionPercentage: 10,
  };
  const both = [poller('a', version('1')), poller('b', version('2'))];
  expect(described(both, moving)).toEqual({ served: 2, passedOver: [] });
  expect(described(both, { ...moving, rampingVersionPercentage: 0 })).toEqual({
    served: 1,
    passedOver: [version('2')],
  });
});

it('moving back to workers without a version counts those', () => {
  const back = {
    currentDeploymentVersion: version('1'),
    rampingDeploymentVersion: null,
    rampingVersionPercentage: 5,
  };
  expect(described([poller('a', null)], back)).toEqual({ served: 1, passedOver: [] });
});
