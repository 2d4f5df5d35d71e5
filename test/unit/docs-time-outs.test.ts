import { expect, it } from 'vitest';
import { DEFAULTS } from '../../batch/settings.js';
import { ACTIVITY_OPTIONS } from '../../workflows/proxies.js';
import { readText } from '../support/repository.js';

/** What docs/guarantees.md says, and the line of code that makes it true, or measures it where it is the SDK's default. */
const STATED = [
  [/worker, provider +\| connecting +\| 10 s /, 'providers/http.ts', 'CONNECT_TIMEOUT_MS = 10_000;'],
  [
    /worker, provider +\| connecting +\| 10 s /,
    'test/activity/providers-unanswered-connect.test.ts',
    'CONNECT_MS = 10_000;',
  ],
  [/a call with a small answer +\| 30 s /, 'providers/mistral/api.ts', 'CALL_TIMEOUT_MS = 30_000;'],
  [/upload or download +\| 60 s without/, 'providers/mistral/api.ts', 'TRANSFER_TIMEOUT_MS = 60_000;'],
  [/half the settle time, at most 60 s/, 'batch/create-decision.ts', '60_000'],
  [
    /worker, Temporal +\| connecting, when it starts +\| 30 s without an answer, at once if refused /,
    'test/e2e/cli-configured.test.ts',
    'WORKER_CONNECT_MS = 30_000;',
  ],
  [
    /command, Temporal +\| connecting +\| 10 s /,
    'client/temporal.ts',
    'address: this.#target.address }, CALL_TIMEOUT_MS, ',
  ],
  [/a call +\| 10 s /, 'client/temporal.ts', 'CALL_TIMEOUT_MS = 10_000;'],
  [/watching +\| 2 min of outage/, 'client/temporal.ts', 'PATIENCE_MS = 120_000;'],
] as const;

it.each(STATED)('%s is what %s says', async (text, file, code) => {
  expect(await readText('docs/guarantees.md')).toMatch(text);
  expect(await readText(file)).toContain(code);
});

it('states the activities’ time-outs as they are', async () => {
  const page = await readText('docs/guarantees.md');
  for (const { heartbeatTimeout, retry } of Object.values(ACTIVITY_OPTIONS)) {
    expect(heartbeatTimeout).toBe('15s');
    expect(retry).toMatchObject({ initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' });
  }
  expect(page).toMatch(/sign of life .*\| 15 s /);
  expect(page).toContain('after 1 s, doubling to 1 min');
  expect(ACTIVITY_OPTIONS.getJob.scheduleToCloseTimeout).toBe('10m');
  expect(page).toContain('a poll that fails for 10 min');
  expect(ACTIVITY_OPTIONS.collect.startToCloseTimeout).toBe('12h');
  expect(page).toContain('holds the attempt, for 12 h at most');
  expect(page).toContain(`(\`LONGHAUL_CREATE_SETTLE\`, ${DEFAULTS.createSettleMs / 1_000} s)`);
});
