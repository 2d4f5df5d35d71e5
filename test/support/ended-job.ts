import { Bench } from './activity-env.js';
import type { BenchOptions } from './activity-env.js';
import { collectInput, rows } from './activity-inputs.js';
import type { Wire } from './activity-inputs.js';

/** A job on rows r0 … r9 that was created under these faults. */
export async function endedJob(faults: readonly Wire[], options: BenchOptions = {}) {
  const bench = await Bench.start({ ...options, emulator: { jobSeconds: 100, ...options.emulator } });
  await bench.setFaults(...faults.map((fault) => ({ route: 'createJob', fault })));
  await bench.prepare(rows(10));
  const { open, job: created } = await bench.submit();
  return {
    bench,
    open,
    jobId: created.jobId,
    collect: async (more: Partial<Parameters<typeof collectInput>[2]> = {}, attempt = 1, absences = 0) => {
      const ended = await bench.ended(created.jobId);
      const sums = await bench.run('collect', collectInput(open, ended, more), { attempt, absences });
      return { ended, sums };
    },
  };
}
