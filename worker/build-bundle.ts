import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import {
  SEALED_BUNDLE_PATH,
  SEALED_FAILURES_PATH,
  WORKFLOW_BUNDLE_PATH,
  WORKFLOWS_PATH,
} from './bundle-path.js';

/*
 * Run by `npm run build`: bundling takes seconds, so it is done once and not at every start of a worker. Bundler and
 * worker must be of one version; both come from this package's lockfile. How a workflow's failures are written down is
 * decided in the bundle, so there is one for workers with keys.
 */
const common = { workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') };
const plain = await bundleWorkflowCode(common);
await writeFile(WORKFLOW_BUNDLE_PATH, plain.code);
const sealed = await bundleWorkflowCode({ ...common, failureConverterPath: SEALED_FAILURES_PATH });
await writeFile(SEALED_BUNDLE_PATH, sealed.code);
