import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXAMPLE_IDS } from './setting.mjs';

/**
 * What came of it, from three sources that don't know of each other: the results, the manifest and the provider's own
 * journal. Throws when they say that something was lost, bought twice or out of order.
 */
export async function accountOf({ home, provider }) {
  const [batchId, ...others] = new Set(
    (await provider.jobs()).map(({ metadata }) => metadata.longhaul_batch),
  );
  check(batchId !== undefined && others.length === 0, 'the provider has jobs of one batch');
  const folder = join(home, 'store', batchId);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const results = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trimEnd().split('\n').map(parse);
  check(results.length === EXAMPLE_IDS.length, 'there is one result per row');
  check(
    results.every(({ custom_id }, position) => custom_id === EXAMPLE_IDS[position]),
    'the results have the order of the input',
  );
  check(
    results.every(({ error }) => error === null),
    'every row succeeded',
  );
  const provided = (await provider.jobs()).map(({ id }) => id);
  check(
    provided.toSorted().join() ===
      manifest.jobs
        .map(({ jobId }) => jobId)
        .toSorted()
        .join(),
    'the manifest lists the provider’s jobs',
  );
  return {
    batchId,
    rows: results.length,
    rowsByRound: countBy(results, ({ round }) => round),
    shards: new Set(manifest.jobs.map(({ shard }) => shard)).size,
    ...(await purchases(provider)),
  };
}

/** Jobs and files are counted where they are made; two of one key or name are one too many. */
async function purchases(provider) {
  const effects = (await provider.requests()).flatMap(({ effect }) => (effect === null ? [] : [effect]));
  const created = effects.filter((effect) => 'created' in effect).length;
  const uploads = effects.filter((effect) => 'uploaded' in effect);
  const keys = new Set((await provider.jobs()).map(({ metadata }) => metadata.longhaul_key));
  const names = new Set(uploads.map(({ filename }) => filename));
  const account = {
    created,
    uploaded: uploads.length,
    duplicateJobs: created - keys.size,
    duplicateUploads: uploads.length - names.size,
  };
  check(account.duplicateJobs === 0, 'no job was created twice');
  check(account.duplicateUploads === 0, 'no file was uploaded twice');
  return account;
}

function parse(line) {
  return JSON.parse(line);
}

/** Pairs of value and count, in ascending order of the values. */
function countBy(items, valueOf) {
  const counts = new Map();
  for (const item of items) counts.set(valueOf(item), (counts.get(valueOf(item)) ?? 0) + 1);
  return [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function check(holds, claim) {
  if (!holds) throw new Error(`It is not true that ${claim}. Please report this.`);
}
