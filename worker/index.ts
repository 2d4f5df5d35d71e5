/** Package entry `./worker`. */
export { createLonghaulWorker } from './longhaul-worker.js';
export type { LonghaulWorker, LonghaulWorkerOptions } from './longhaul-worker.js';
export { WORKFLOW_BUNDLE_PATH } from './bundle-path.js';
