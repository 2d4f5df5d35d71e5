import { describe, expect, it } from 'vitest';
import type { OrphanAction } from '../../batch/orphans.js';
import { OrphanFix } from '../../cli/orphan-fix.js';
import { jsonReport, textReport } from '../../cli/orphan-report.js';
import type { OrphanFile, OrphanJob } from '../../cli/orphan-search.js';
import { walkOrphans } from '../../cli/orphan-walk.js';
import type { Output } from '../../cli/output.js';
import { ProviderError } from '../../providers/errors.js';
import { memoryStore } from '../support/memory-store.js';
import { scriptedProvider } from '../support/scripted-provider.js';

const FAILS = 'fails';

function job(jobId: string, action: OrphanAction): OrphanJob {
  const createdAt = '2026-11-22T12:00:00.000Z';
  return { jobId, status: 'RUNNING', createdAt, batchId: 'b', key: 'k', reason: 'duplicate', action };
}

function file(fileId: string, action: OrphanAction): OrphanFile {
  return { fileId, name: 'n', bytes: 1, batchId: 'b', reason: 'duplicate', action };
}

/** An account with these orphans, walked with a report of either kind. */
async function walked(
  orphans: { readonly jobs?: readonly OrphanJob[]; readonly files?: readonly OrphanFile[] },
  how: {
    readonly acts?: boolean;
    readonly open?: boolean;
    readonly perWalk?: number;
    readonly text?: boolean;
  },
) {
  const left = [...(orphans.files ?? [])];
  const calls: string[] = [];
  const said: string[] = [];
  const notes: string[] = [];
  let walks = 0;
  const refuse = (id: string) => {
    if (id === FAILS) throw new ProviderError('ProviderUnavailable', 'no', { effect: 'unknown' });
  };
  const provider = scriptedProvider({
    cancelJob: async (id) => {
      calls.push(`cancel ${id}`);
      refuse(id);
      throw new ProviderError('ProviderNotFound', 'gone', { effect: 'refused', status: 404 });
    },
    deleteFile: async (id) => {
      calls.push(`delete ${id}`);
      refuse(id);
      left.splice(
        left.findIndex(({ fileId }) => fileId === id),
        1,
      );
    },
  });
  const runs = { isOpen: async () => how.open ?? false, knowsRun: async () => true };
  const fix = new OrphanFix({ provider, runs, store: memoryStore(), acts: how.acts ?? false });
  const output: Pick<Output, 'line' | 'note'> = {
    line: (text) => void said.push(text),
    note: (text) => void notes.push(text),
  };
  const report = how.text === true ? textReport(output) : jsonReport(output);
  const search = {
    jobs: async function* () {
      yield* orphans.jobs ?? [];
    },
    files: async function* () {
      walks += 1;
      for (const each of left.slice()) yield each;
    },
  };
  await walkOrphans(search, fix, report, how.perWalk);
  report.end(fix, {});
  return { fix, calls, walks, notes, text: said.join('\n') };
}

describe('without being told to act', () => {
  it('nothing is called, and what would be done is counted', async () => {
    const orphans = { jobs: [job('j', 'cancel'), job('k', 'none')], files: [file('f', 'delete')] };
    const { calls, fix, notes } = await walked(orphans, { text: true });
    expect(calls).toEqual([]);
    expect(fix).toMatchObject({ seen: 3, cancels: 1, deletes: 1, failures: 0 });
    expect(notes.join()).toContain('1 job would be cancelled and 1 file deleted. Nothing was changed.');
  });
});

it('words of others are no commands to a terminal, and no lines of ours', async () => {
  const batchId = 'x\u001b[2K\u001b]0;owned\u0007\nNo orphans.\u202e';
  const orphans = { jobs: [{ ...job('j', 'keep-foreign'), batchId }], files: [] };
  const { text } = await walked(orphans, { text: true });
  expect(text).toContain(String.raw`x\u{1b}[2K\u{1b}]0;owned\u{7}\u{a}No orphans.\u{202e}`);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
});

describe('told to act', () => {
  it('leaves a batch that was opened since the list was read', async () => {
    const orphans = { jobs: [job('j', 'cancel')], files: [file('f', 'delete')] };
    const { calls, text } = await walked(orphans, { acts: true, open: true, text: true });
    expect(calls).toEqual([]);
    expect(text.match(/kept, its batch is open/g)).toHaveLength(2);
  });

  it('deletes files between walks, so many at a time, until none is left', async () => {
    const files = ['a', 'b', 'c', 'd', 'e'].map((id) => file(id, 'delete'));
    const { calls, walks, fix, text } = await walked(
      { files: [...files, file('x', 'keep-foreign')] },
      { acts: true, perWalk: 2 },
    );
    expect(calls).toEqual(['a', 'b', 'c', 'd', 'e'].map((id) => `delete ${id}`));
    expect([walks, fix.deletes, fix.seen]).toEqual([3, 5, 6]);
    expect(JSON.parse(text)).toMatchObject({ files: expect.objectContaining({ length: 6 }) });
  });

  it('counts what fails and goes on; files that can not be deleted are not tried for ever', async () => {
    const { calls, fix } = await walked(
      { jobs: [job(FAILS, 'cancel')], files: [file(FAILS, 'delete'), file('f', 'delete')] },
      { acts: true, perWalk: 1 },
    );
    expect(calls).toEqual([`cancel ${FAILS}`, `delete ${FAILS}`, 'delete f']);
    expect(fix).toMatchObject({ failures: 2, cancels: 0, deletes: 1, seen: 3 });
  });
});

describe('the report is one JSON document', () => {
  const jobs = [job('j', 'none'), job('k', 'cancel')];
  const files = [file('f', 'keep-in-use'), file('g', 'delete')];
  it.each([[{}], [{ jobs }], [{ files }], [{ jobs, files }]])('%j', async (orphans) => {
    const { text } = await walked(orphans, {});
    const done = (each: object) => ({ ...each, done: false });
    expect(JSON.parse(text)).toEqual({
      jobs: ('jobs' in orphans ? orphans.jobs : []).map(done),
      files: ('files' in orphans ? orphans.files : []).map(done),
      fixed: false,
      cancels: 'jobs' in orphans ? 1 : 0,
      deletes: 'files' in orphans ? 1 : 0,
      failures: 0,
    });
  });
});
