import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WORKFLOW_BUNDLE_PATH, WORKFLOWS_PATH } from './bundle-path.js';

/*
 * Run by `npm run build`: bundling takes seconds, so it is done once and not at every start of a worker. Bundler and
 * worker must be of one version; both come from this package's lockfile.
 */
const { code } = await bundleWorkflowCode({
  workflowsPath: WORKFLOWS_PATH,
  logger: new DefaultLogger('WARN'),
});
await writeFile(WORKFLOW_BUNDLE_PATH, code);
