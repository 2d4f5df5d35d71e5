import type { OrphanFix } from './orphan-fix.js';
import type { OrphanReport } from './orphan-report.js';
import type { OrphanFile, OrphanSearch } from './orphan-search.js';

/** Deletions shift the pages that are being read, so files are deleted between two walks, so many at a time. */
const DELETIONS_PER_WALK = 1_000;

/** Says what was found, and ends what may be ended: jobs as they come, files after each walk over them. */
export async function walkOrphans(
  search: Pick<OrphanSearch, 'jobs' | 'files'>,
  fix: OrphanFix,
  report: OrphanReport,
  deletionsPerWalk = DELETIONS_PER_WALK,
): Promise<void> {
  for await (const job of search.jobs()) report.job(job, await fix.job(job));
  /** Files that could not be deleted: they turn up in every walk. */
  const left = new Set<string>();
  for (let first = true; ; first = false) {
    const due: OrphanFile[] = [];
    for await (const file of search.files()) {
      const isDue = fix.acts && file.action === 'delete';
      if (isDue && due.length < deletionsPerWalk && !left.has(file.fileId)) due.push(file);
      else if (first && !isDue) report.file(file, await fix.file(file));
    }
    for (const file of due) {
      const end = await fix.file(file);
      report.file(file, end);
      if (end.kind !== 'done') left.add(file.fileId);
    }
    if (due.length < deletionsPerWalk) return;
  }
}
