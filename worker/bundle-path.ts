import { fileURLToPath } from 'node:url';

/** Compiled workflows, beside this file's compiled folder. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.js', import.meta.url));

/** What `build-bundle` writes and workers load. */
export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
