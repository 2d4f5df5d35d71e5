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
  const versions = passedOver.filter((version) => version !== null);
  const [version] = versions;
  if (version !== undefined) return { problem: notCurrent(versions), remedy: makeCurrent(version) };
  if (passedOver.length > 0) {
    return {
      problem: 'the workers that poll Longhaul’s task queues have no version, and one is current there',
      remedy:
        'Give them LONGHAUL_DEPLOYMENT and LONGHAUL_BUILD_ID of the current version, or let workers without a version be current: `temporal worker deployment set-current-version --deployment-name … --unversioned`.',
    };
  }
  const none = workflows + provider + transfer === 0;
  return {
    problem: `no worker polls ${none ? 'Longhaul’s task queues' : 'some of Longhaul’s task queues'}`,
    remedy: 'Start one with `longhaul worker`.',
  };
}

function notCurrent(versions: readonly WorkerVersion[]): string {
  const names = versions.map(({ deploymentName, buildId }) => `${buildId} of ${deploymentName}`).join(', ');
  return `Longhaul’s workers get no tasks, as their version is not the current one (${names})`;
}

function makeCurrent({ deploymentName, buildId }: WorkerVersion): string {
  return `Make it current: \`temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}\`.`;
}
