import { defineConfig } from 'vitest/config';
import { UnhandledErrors } from './scripts/unhandled-errors.mjs';

/** Where `scripts/test.mjs` wants its reports, for it to read after the run. */
const { LONGHAUL_TEST_REPORTS: reports } = process.env;

/** Ends what a run leaves behind. */
const orphanWatch = 'test/support/orphan-watch.ts';

/** How long tests await an event of another process or of a server: a bound for what never comes, not a measure. */
const patience = { poll: { timeout: 20_000 } };

/** One project per suite of CONTRIBUTING.md; `scripts/test.mjs` runs them, some side by side. */
export default defineConfig({
  test: {
    ...(reports !== undefined && {
      reporters: [
        'default',
        ['json', { outputFile: `${reports}.json` }],
        new UnhandledErrors(`${reports}-unhandled.json`),
      ],
    }),
    projects: [
      // Milliseconds each; the time-out is for machines that are busy with something else.
      {
        test: {
          name: 'unit',
          // Most of a file's time would be the loading of modules that the file before has loaded.
          isolate: false,
          maxWorkers: 2,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          globalSetup: [orphanWatch],
        },
      },
      {
        test: {
          name: 'activity',
          expect: patience,
          isolate: false,
          maxWorkers: 2,
          include: ['test/activity/**/*.test.ts'],
          testTimeout: 30_000,
          globalSetup: [orphanWatch],
        },
      },
      {
        test: {
          name: 'workflow',
          expect: patience,
          maxWorkers: 3,
          include: ['test/workflow/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          globalSetup: [orphanWatch, 'test/support/workflow-bundle.ts'],
        },
      },
      {
        test: {
          name: 'replay',
          expect: patience,
          include: ['test/replay/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          globalSetup: [orphanWatch, 'test/support/workflow-bundle.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          expect: patience,
          isolate: false,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 600_000,
          // No two files share a home, ports or servers, and their tests wait for much of their time: two files at a time leave a
          // quarter of two cores idle.
          maxWorkers: 3,
          globalSetup: [orphanWatch],
        },
      },
      {
        test: {
          name: 'cluster',
          expect: patience,
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          globalSetup: [orphanWatch],
        },
      },
      {
        test: {
          name: 'chaos',
          expect: patience,
          include: ['test/chaos/**/*.test.ts'],
          // Most of a point's time is spent waiting for a time-out of the product's own.
          maxConcurrency: 7,
          hookTimeout: 600_000,
          fileParallelism: false,
          globalSetup: [orphanWatch],
        },
      },
    ],
  },
});
