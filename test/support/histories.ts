import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { RELEASE } from '../../dev/release.js';
import type { History } from './run-histories.js';

const FOLDER = new URL('../histories/', import.meta.url);

export interface RecordedHistory {
  /** The release that recorded it, such as `0.1.0`. */
  readonly release: string;
  /** Workflow and scenario, such as `runShard/continued-2`. */
  readonly name: string;
  /** JSON as Temporal's tools write it; `JSON.stringify` of a history is another one, which can't be replayed. */
  readonly history: unknown;
}

/**
 * Keeps a history in `test/histories/<release>/<workflow>/<scenario>.json`; false when there is one of that name, which
 * stays: it stands for the workflows that are open somewhere.
 */
export async function saveHistory(workflow: string, scenario: string, history: History): Promise<boolean> {
  const folder = new URL(`${RELEASE}/${workflow}/`, FOLDER);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(new URL(`${scenario}.json`, folder), withoutPlaces(historyToJSON(history)), {
      flag: 'wx',
    });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Who recorded it is nobody's concern, and changes with each recording. */
function withoutPlaces(json: string): string {
  return `${json.replace(/("identity":\s*")[^"]*"/g, '$1recorder"').trimEnd()}\n`;
}

export async function recordedHistories(): Promise<RecordedHistory[]> {
  const names = await readdir(fileURLToPath(FOLDER), { recursive: true });
  const files = names.filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      release: file.slice(0, file.indexOf('/')),
      name: file.slice(file.indexOf('/') + 1).replace(/\.json$/, ''),
      history: JSON.parse(await readFile(new URL(file, FOLDER), 'utf8')) as unknown,
    })),
  );
}
