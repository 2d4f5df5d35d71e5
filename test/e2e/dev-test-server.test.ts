import { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { testServerPath } from '../support/servers.js';

it('boots as the SDK’s time-skipping server and skips time', async () => {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: await testServerPath() } },
  });
  try {
    expect(env.supportsTimeSkipping).toBe(true);
    const before = await env.currentTimeMs();
    const started = Date.now();
    await env.sleep('10 hours');
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(10 * 3_600_000);
    expect(Date.now() - started).toBeLessThan(60_000);
  } finally {
    await env.teardown();
  }
});
