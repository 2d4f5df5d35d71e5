import { roundKeyText } from '../../batch/keys.js';
import { sha256Hex } from '../../storage/hash.js';
import { ENDPOINT, MODEL } from '../support/e2e-home.js';

/** By `shard-round`, as in the names of the store's folders. */
export type ByRound = ReadonlyMap<string, string>;

/** The keys that the jobs of a batch of this id have. `inputs`: what its rounds upload, which no id changes. */
export function keysOf(batchId: string, inputs: ByRound): ByRound {
  return new Map(
    [...inputs].map(([name, input]) => {
      const [shard, round] = name.split('-').map(Number);
      if (shard === undefined || round === undefined) throw new Error(`no round is called ${name}`);
      const inputSha256 = sha256Hex(input);
      const fields = { batchId, shard, round, inputSha256, endpoint: ENDPOINT, model: MODEL };
      return [name, sha256Hex(roundKeyText(fields))];
    }),
  );
}
