import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../providers/errors.js';
import { StorageError } from '../../storage/errors.js';
import type { Store } from '../../storage/store.js';
import { attemptOf, failureOf, runActivity } from '../support/activity-env.js';
import { rows } from '../support/activity-inputs.js';
import { answer, failed, fileOf, ScriptedRound } from '../support/scripted-round.js';
import { hookedStore } from '../support/store-hooks.js';

/** No account gets written: the disk is full as soon as the answers are on it. */
function fullAfterAnswers(store: Store): Store {
  return hookedStore(store, (call, path) => {
    if (call !== 'writeSmall' || !path.endsWith('account.json')) return;
    throw new StorageError('StorageFull', path, 'no space is left');
  });
}

function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), opened };
}

describe('answers of an attempt that could not close the round', () => {
  it('are kept when the provider has dropped its files since', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const { deps, input, files } = round.ending({ output: fileOf(answer('r0'), answer('r2')) });
    const cut = runActivity({ ...deps, store: fullAfterAnswers(deps.store) }, 'collect', input);
    expect(await failureOf(cut)).toMatchObject({ type: 'StorageFull', nonRetryable: false });
    const [first, , last] = await round.answers();
    files.set('output-file', null);
    const sums = await runActivity(deps, 'collect', input, attemptOf({ attempt: 9, absences: 2 }));
    expect(sums.rows).toMatchObject({ succeeded: 2, missing: 1 });
    expect(await round.answers()).toEqual([first, expect.objectContaining({ error: 'output_gone' }), last]);
    expect(await round.results()).toHaveLength(3);
  });

  it('give way to what a later attempt reads', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const { deps, input, files } = round.ending({ output: fileOf(failed('r0', 'busy'), answer('r1')) });
    await failureOf(runActivity({ ...deps, store: fullAfterAnswers(deps.store) }, 'collect', input));
    files.set('output-file', fileOf(answer('r0', 'at last'), answer('r1')));
    const sums = await runActivity(deps, 'collect', input, attemptOf({ attempt: 2 }));
    expect(sums.rows).toMatchObject({ succeeded: 2 });
    expect(JSON.stringify(await round.answers())).toContain('at last');
  });
});

describe('what an attempt had read before it could not close the round', () => {
  it('counts before an error of the same row that comes later', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const output = fileOf(answer('r0'), answer('r1'));
    const { deps, input, files } = round.ending({ output, error: fileOf(answer('r0', 'busy', 500)) });
    await failureOf(runActivity({ ...deps, store: fullAfterAnswers(deps.store) }, 'collect', input));
    files.set('output-file', null);
    const sums = await runActivity(deps, 'collect', input, attemptOf({ attempt: 9, absences: 2 }));
    expect(sums.rows).toMatchObject({ succeeded: 2 });
  });

  it('is an answer of a job that failed', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const counts = { total: 2, completed: 0, succeeded: 0, failed: 0 };
    const { deps, input, files } = round.ending({
      output: fileOf(answer('r0')),
      job: { phase: 'failed', status: 'FAILED', counts },
    });
    await failureOf(runActivity({ ...deps, store: fullAfterAnswers(deps.store) }, 'collect', input));
    files.set('output-file', '');
    const sums = await runActivity(deps, 'collect', input, attemptOf({ attempt: 2 }));
    expect(sums).toMatchObject({ failure: null, rows: { succeeded: 1, missing: 1 } });
  });
});

it('of two attempts at once the answers that stand are those of the account', async () => {
  const round = await ScriptedRound.begin(rows(2));
  const whole = round.ending({ output: fileOf(answer('r0'), answer('r1')) });
  const part = round.ending({ output: fileOf(answer('r0', 'of the other')) });
  // Both have named their answers, the second one last, before the first one writes the account.
  const secondHasNamed = gate();
  const firstHasClosed = gate();
  const firstHasNamed = gate();
  const first = hookedStore(whole.deps.store, async (call, path) => {
    if (call !== 'writeSmall' || !path.endsWith('account.json')) return;
    firstHasNamed.open();
    await secondHasNamed.opened;
  });
  const second = hookedStore(part.deps.store, async (call, path) => {
    if (call !== 'writeSmall' || !path.endsWith('account.json')) return;
    secondHasNamed.open();
    await firstHasClosed.opened;
  });
  const ofFirst = runActivity({ ...whole.deps, store: first }, 'collect', whole.input);
  await firstHasNamed.opened;
  const ofSecond = runActivity({ ...part.deps, store: second }, 'collect', part.input);
  const { rows: counted } = await ofFirst;
  firstHasClosed.open();
  expect((await ofSecond).rows).toEqual(counted);
  // Holds the file against the account.
  expect(JSON.stringify(await round.results())).not.toContain('of the other');
  const folder = join(round.bench.dir, 'store', dirname(round.path('answers')));
  const left = (await readdir(folder)).filter((name) => name.startsWith('.tmp-'));
  expect(left).toEqual([]);
});

describe('a result file', () => {
  it('is read again where it was cut, though the other one is gone', async () => {
    const round = await ScriptedRound.begin(rows(4));
    const whole = fileOf(answer('r0'), answer('r1'), answer('r2'));
    const gone = () =>
      new ProviderError('ProviderNotFound', 'get file: 404', { effect: 'refused', status: 404 });
    let downloads = 0;
    const provider = {
      getFile: (id: string) => {
        if (id === 'error-file') return Promise.reject(gone());
        return Promise.resolve({ id, name: id, bytes: null, lines: null, createdAt: 0 });
      },
      downloadFile: () => {
        downloads += 1;
        const content = Readable.from([Buffer.from(downloads === 1 ? whole.slice(0, 60) : whole)]);
        return Promise.resolve({ contentLength: null, content });
      },
    };
    const counts = { total: 4, completed: 4, succeeded: 3, failed: 1 };
    const ending = { output: whole, error: null, job: { counts }, provider, attempt: 4, absences: 3 };
    expect((await round.collect(ending)).rows).toMatchObject({ succeeded: 3, missing: 1 });
  });

  it('that is a page, longer than the file, is none, however often it comes', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const output = fileOf(answer('r0'), answer('r1'));
    const page = Buffer.from(`<html>${'We will be back soon. '.repeat(200)}</html>\n`);
    const provider = {
      downloadFile: () => Promise.resolve({ contentLength: page.length, content: Readable.from([page]) }),
    };
    const { deps, input } = round.ending({ output, provider });
    const failure = await failureOf(runActivity(deps, 'collect', input));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
  });

  it('that is longer than the provider says is believed when it came three times', async () => {
    const round = await ScriptedRound.begin(rows(3));
    const whole = fileOf(answer('r0'), answer('r1'), answer('r2'));
    let looks = 0;
    const getFile = (id: string) => {
      looks += 1;
      return Promise.resolve({ id, name: id, bytes: whole.length - 40, lines: null, createdAt: 0 });
    };
    const sums = await round.collect({ output: whole, provider: { getFile } });
    expect(sums.rows).toMatchObject({ succeeded: 3 });
    expect(looks).toBe(3);
  });
});
