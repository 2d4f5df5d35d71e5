/** Package entry `./activities`. */
export type * from './contract.js';
export { createActivities } from './create-activities.js';
export type { ActivityDeps } from './deps.js';
