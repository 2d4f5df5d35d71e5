import { isUnanswered } from '../batch/create-decision.js';
import { numberedFile, roundFile } from '../batch/layout.js';
import { intentSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

/** The creates of one round, as its folder tells. */
interface RoundCreates {
  last: number;
  readonly refused: Set<number>;
}

/**
 * Whether any round under `prefix` has a job, or may have one: its last create is without an answer. Of one before that it
 * is known that it made none, or the last one had not been sent.
 */
export async function mayHaveJob(store: Store, prefix: string): Promise<boolean> {
  const rounds = new Map<string, RoundCreates>();
  for await (const { path } of store.list(prefix)) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const round = rounds.get(folder) ?? { last: 0, refused: new Set() };
    rounds.set(folder, round);
    if (path === roundFile.job(folder)) return true;
    round.last = Math.max(round.last, numberedFile(path, 'intent') ?? 0);
    const refusal = numberedFile(path, 'refused');
    if (refusal !== null) round.refused.add(refusal);
  }
  for (const [folder, round] of rounds) if (await isLastUnanswered(store, folder, round)) return true;
  return false;
}

async function isLastUnanswered(
  store: Store,
  folder: string,
  { last, refused }: RoundCreates,
): Promise<boolean> {
  for (let n = last; n > 0; n -= 1) {
    const intent = await readRecord(store, roundFile.intent(folder, n), intentSchema);
    // Closed by a run that could not look: the create before it is as unknown as it was.
    if (intent?.unlisted !== true) return intent !== null && isUnanswered(intent, refused);
  }
  return false;
}
