import type { WorkerCount, WorkerVersion } from '../client/types.js';

/** What is wrong with a cluster's workers, as the rest of a sentence, and what to do about it. */
export interface WorkerAdvice {
  readonly problem: string;
  readonly remedy: string;
}

/** Null: each task queue has a worker that gets its tasks. */
export function adviseOnWorkers(count: WorkerCount): WorkerAdvice | null {
  const { workflows, provider, transfer, passedOver } = count;
  if (workflows > 0 && provider > 0 && transfer > 0) return null;
  const none = workflows + provider + transfer === 0;
  if (!none) {
    const which = passedOver.length > 0 ? ', of the version that is current' : '';
    return {
      problem: 'no worker that gets tasks polls some of Longhaul’s task queues',
      remedy: `Start one with \`longhaul worker\`${which}.`,
    };
  }
  const versions = passedOver.filter((version) => version !== null);
  if (versions.length > 0) return { problem: notCurrent(versions), remedy: makeCurrent(versions) };
  if (passedOver.length > 0) {
    return {
      problem: 'the workers that poll Longhaul’s task queues have no version, and one is current there',
      remedy:
        'Give them LONGHAUL_DEPLOYMENT and LONGHAUL_BUILD_ID of the current version, or let workers without a version be current: `temporal worker deployment set-current-version --deployment-name … --unversioned`.',
    };
  }
  return { problem: 'no worker polls Longhaul’s task queues', remedy: 'Start one with `longhaul worker`.' };
}

function notCurrent(versions: readonly WorkerVersion[]): string {
  const names = versions.map(({ deploymentName, buildId }) => `${buildId} of ${deploymentName}`).join(', ');
  return `Longhaul’s workers get no tasks, as their version is not the current one (${names})`;
}

/** Of several, which one is to be current is not ours to guess: it may be an old one that is leaving. */
function makeCurrent(versions: readonly WorkerVersion[]): string {
  const [version, ...others] = versions;
  const { deploymentName, buildId } = others.length === 0 && version !== undefined ? version : ELLIPSIS;
  return `Start workers of the version that is, or make theirs current: \`temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}\`.`;
}

const ELLIPSIS: WorkerVersion = { deploymentName: '…', buildId: '…' };
