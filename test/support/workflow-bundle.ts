import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** File with the workflows' code, made of the sources once for all suites of a run. */
    workflowBundlePath: string;
  }
}

const WORKFLOWS = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** The workflows' code as a worker loads it. */
export async function bundleWorkflows(workflowsPath = WORKFLOWS): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return code;
}

let folder: string | undefined;

/** Vitest's global set-up, before the first suite. */
export async function setup({ provide }: Pick<TestProject, 'provide'>): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-bundle-'));
  const path = join(folder, 'workflow-bundle.js');
  await writeFile(path, await bundleWorkflows());
  provide('workflowBundlePath', path);
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
