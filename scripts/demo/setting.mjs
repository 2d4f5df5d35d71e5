import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const EXAMPLE_PATH = 'examples/support-tickets.jsonl';

/** The custom ids of the example input, in its order. */
export const EXAMPLE_IDS = readFileSync(`${ROOT}/${EXAMPLE_PATH}`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line).custom_id);

/**
 * With this seed 20 rows fail in round 1 (9 of the first job, 11 of the second) and none in round 2. A failure is drawn
 * from seed and row: whoever changes the example's rows has to look for a seed again. The jobs of round 1 take longer
 * than Temporal waits for a dead worker to come back for its workflows, ten seconds unless a worker says otherwise.
 */
export const EMULATOR = { jobSeconds: 16, rowErrorRate: 0.05, seed: 42 };

export const SHARDS = 2;

/** The few rows of round 2 are done sooner. */
export const EMULATOR_RULES = [
  { route: 'createJob', from: SHARDS + 1, fault: { type: 'jobSeconds', seconds: 4 } },
];

/** Rows answered at the provider when the worker is killed: mid-job, far from its beginning and its end. */
export const KILL_AT_ROWS = EXAMPLE_IDS.length / 4;

/** Rows answered when it is said which process that will be. */
export const ANNOUNCE_AT_ROWS = EXAMPLE_IDS.length / 8;

/** Polling every second is for onlookers; real jobs take hours. */
export const RUN_COMMAND = [
  `longhaul run ${EXAMPLE_PATH} --endpoint /v1/chat/completions`,
  `--model mistral-small-latest --shard-rows ${EXAMPLE_IDS.length / SHARDS} --poll-min 1s`,
];
