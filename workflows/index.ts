/** Package entry `./workflows`: what a worker bundles. */
export { runBatch } from './run-batch.js';
export { runShard } from './run-shard.js';
