import { fileURLToPath } from 'node:url';

/** Compiled workflows, beside this file's compiled folder. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.js', import.meta.url));

/** What `build-bundle` writes and workers load. */
export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

/** The same workflows for workers with keys: what a workflow fails with is encrypted too. */
export const SEALED_BUNDLE_PATH = fileURLToPath(new URL('../workflow-bundle-sealed.js', import.meta.url));

/** What makes the second bundle another one. */
export const SEALED_FAILURES_PATH = fileURLToPath(
  new URL('../workflows/sealed-failures.js', import.meta.url),
);
