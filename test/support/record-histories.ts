import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchUnderTest } from './batch-under-test.js';
import { saveHistory } from './histories.js';
import { LATER_RUN_SCENARIOS, REAL_SERVER_SCENARIOS } from './history-scenarios-later.js';
import { HISTORY_SCENARIOS } from './history-scenarios.js';
import { bundleWorkflows } from './workflow-bundle.js';
import { WorkflowEnv } from './workflow-env.js';

/*
 * Records what the replay suite replays, in `test/histories/<release>/` for the release that package.json names: `npx tsx
 * test/support/record-histories.ts`. Histories that are there stay as they are. Before a release, add a set for the shapes
 * that it brings; a change that can't replay an old one needs `patched()` (docs/versioning.md).
 */
const folder = await mkdtemp(join(tmpdir(), 'longhaul-record-'));
const bundle = join(folder, 'workflow-bundle.js');
await writeFile(bundle, await bundleWorkflows());

async function record(
  env: WorkflowEnv,
  scenarios: { readonly [name: string]: (env: WorkflowEnv) => Promise<BatchUnderTest> },
): Promise<void> {
  try {
    for (const [name, scenario] of Object.entries(scenarios)) {
      const batch = await scenario(env);
      for (const { workflow, run, history } of await batch.histories()) {
        const saved = await saveHistory(workflow, `${name}${run}`, history);
        process.stderr.write(`${workflow}/${name}${run}: ${saved ? 'recorded' : 'kept'}\n`);
      }
    }
  } finally {
    await env.close();
  }
}

try {
  await record(await WorkflowEnv.start(bundle), { ...HISTORY_SCENARIOS, ...LATER_RUN_SCENARIOS });
  await record(await WorkflowEnv.startReal(bundle), REAL_SERVER_SCENARIOS);
} finally {
  await rm(folder, { recursive: true, force: true });
}
