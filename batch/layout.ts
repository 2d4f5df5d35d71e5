/** Paths within the store. Everything of a batch lies under its id. */

function padded(shard: number): string {
  return String(shard).padStart(5, '0');
}

export const layout = {
  plan: (batchId: string) => `${batchId}/input/plan.json`,
  /** The plan before its shards have their names; gone once there is the plan. */
  planDraft: (batchId: string) => `${batchId}/input/plan-draft.json`,
  /** A local or piped input that was copied into the store for the workers, who tell a compressed one by its name. */
  stagedInput: (batchId: string, sha256: string, source: string) =>
    `${batchId}/input/source-${sha256.slice(0, 12)}.jsonl${/\.gz$/i.test(source) ? '.gz' : ''}`,
  shard: (batchId: string, shard: number) => `${batchId}/input/shard-${padded(shard)}.jsonl`,
  shardIndex: (batchId: string, shard: number) => `${batchId}/input/shard-${padded(shard)}.idx`,
  invalid: (batchId: string) => `${batchId}/input/invalid.jsonl`,
  rounds: (batchId: string) => `${batchId}/rounds`,
  round: (batchId: string, shard: number, round: number) => `${batchId}/rounds/${padded(shard)}-${round}`,
  results: (batchId: string) => `${batchId}/results.jsonl`,
  errors: (batchId: string) => `${batchId}/errors.jsonl`,
  manifest: (batchId: string) => `${batchId}/manifest.json`,
  archivedManifests: (batchId: string) => `${batchId}/manifests`,
  archivedManifest: (batchId: string, generation: number) => `${batchId}/manifests/${generation}.json`,
  /** A manifest on its way out of force; `mark` is nobody else's. */
  takenManifest: (batchId: string, mark: string) => `${batchId}/manifests/taken-${mark}.json`,
} as const;

export const roundFile = {
  input: (round: string) => `${round}/input.jsonl`,
  intent: (round: string, n: number) => `${round}/intent-${n}.json`,
  refused: (round: string, n: number) => `${round}/refused-${n}.json`,
  job: (round: string) => `${round}/job.json`,
  answers: (round: string) => `${round}/answers.jsonl`,
  quarantine: (round: string) => `${round}/quarantine.jsonl`,
  account: (round: string) => `${round}/account.json`,
} as const;

/** How the name of a staged input goes on behind its batch's folder (`layout.stagedInput`). */
export const STAGED_INPUT = String.raw`/input/source-[0-9a-f]{12}\.jsonl(?:\.gz)?`;

/** Number in a name such as `intent-3.json`; null for other names. */
export function numberedFile(path: string, kind: 'intent' | 'refused'): number | null {
  const match = new RegExp(`/${kind}-([1-9]\\d{0,8})\\.json$`).exec(path);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** Shard and round in a path under `rounds/`; null for other paths. */
export function parseRoundPath(path: string): { shard: number; round: number } | null {
  const match = /\/rounds\/(\d{5,})-([1-9]\d*)\//.exec(path);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { shard: Number(match[1]), round: Number(match[2]) };
}

export function shardWorkflowId(batchId: string, shard: number): string {
  return `${batchId}/shard-${padded(shard)}`;
}

/** The batch that a workflow, parent or shard, belongs to. A batch id has no slash. */
export function batchIdOf(workflowId: string): string {
  const slash = workflowId.indexOf('/');
  return slash === -1 ? workflowId : workflowId.slice(0, slash);
}
