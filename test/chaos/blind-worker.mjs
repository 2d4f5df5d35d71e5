// A worker like worker/main.ts, but with a provider injected whose list of jobs is always empty: what a worker would be
// that does not look before it pays. The suite must notice (blind-control.ts).
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { createActivities } from '../../dist/activities/create-activities.js';
import { parseConfig } from '../../dist/schemas/config.js';
import { WORKFLOW_BUNDLE_PATH } from '../../dist/worker/bundle-path.js';
import { composeDeps } from '../../dist/worker/compose.js';
import { createWorkers, runWorkers } from '../../dist/worker/workers.js';

process.on('disconnect', () => process.exit());

const { config } = parseConfig(process.env);
const deps = composeDeps(config, { userAgent: 'blind', embedded: true });

/** The real one, but for its list. */
function blind(provider) {
  return new Proxy(provider, {
    get: (target, name) => {
      if (name === 'listJobs') return async function* listNothing() {};
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const workers = await createWorkers({
  connection: await NativeConnection.connect(connectionOptions),
  namespace,
  activities: createActivities({ ...deps, provider: (name) => blind(deps.provider(name)) }),
  workflowBundle: { codePath: WORKFLOW_BUNDLE_PATH },
  dataConverter: {},
  requestsPerSecond: null,
  deployment: null,
  embedded: true,
});
const running = runWorkers(workers);
process.send({ type: 'ready' });
await running;
process.exit();
