import { expect, test } from 'vitest';

import type { EmulatorOptions } from '../../emulator/index.js';
import { chatRow, chatRows, customIds, EmulatorClient, jsonl, lines, wire } from './emulator-support.js';

async function withEmulator<T>(
  options: EmulatorOptions,
  use: (client: EmulatorClient) => Promise<T>,
): Promise<T> {
  const client = await EmulatorClient.start(options);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function sorted(content: string): readonly string[] {
  return content.split('\n').toSorted();
}

const FAILING = { seed: 7, rowErrorRate: 0.3 };

test('two emulators with one seed answer byte for byte alike, whatever their timing', async () => {
  const rows = chatRows(200);
  const fast = await withEmulator({ ...FAILING, jobSeconds: 0 }, (client) => client.run(rows));
  const slow = await withEmulator({ ...FAILING, jobSeconds: 0.4, latencyMs: 3 }, async (client) => {
    await client.run(chatRows(3), { endpoint: '/v1/moderations' });
    return client.run(rows);
  });
  expect(slow.output).toBe(fast.output);
  expect(slow.error).toBe(fast.error);
  expect(lines(fast.error).length).toBeGreaterThan(20);
});

test('another seed answers otherwise', async () => {
  const first = await withEmulator({ seed: 1 }, (client) => client.run(chatRows(5)));
  const second = await withEmulator({ seed: 2 }, (client) => client.run(chatRows(5)));
  expect(sorted(second.output)).not.toEqual(sorted(first.output));
});

test("a row's answer does not depend on the rows beside it", async () => {
  await withEmulator({ seed: 3 }, async (client) => {
    const many = await client.run(chatRows(50));
    const alone = await client.run([chatRow('row-17')]);
    expect(many.output).toContain(alone.output.trimEnd());
  });
});

test('rows that failed are drawn anew once a job has completed, and only then', async () => {
  await withEmulator({ ...FAILING, permanentErrorShare: 0 }, async (client) => {
    const rows = chatRows(100);
    const first = await client.run(rows);
    const failedFirst = customIds(first.error);

    await client.setFaults({ route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 60 } });
    const cancelled = await client.submit(rows);
    await client.send('POST', `/v1/batch/jobs/${cancelled}/cancel`);
    await client.ended(cancelled);

    const second = await client.run(rows.filter((row) => failedFirst.includes(String(row.custom_id))));
    const failedSecond = customIds(second.error);
    expect(failedSecond.length).toBeLessThan(failedFirst.length);
    expect(failedSecond.length).toBeGreaterThan(0);

    const undisturbed = await withEmulator({ ...FAILING, permanentErrorShare: 0 }, async (other) => {
      const again = await other.run(rows);
      const failed = customIds(again.error);
      return other.run(rows.filter((row) => failed.includes(String(row.custom_id))));
    });
    expect(second.output).toBe(undisturbed.output);
    expect(second.error).toBe(undisturbed.error);
  });
});

test('jobs that overlap draw the same failures: neither had completed when the other was created', async () => {
  await withEmulator({ ...FAILING, jobSeconds: 0.1 }, async (client) => {
    const content = jsonl(chatRows(100));
    const [first, second] = await Promise.all([client.run(content), client.run(content)]);
    expect(second.error).toBe(first.error);
  });
});

test('permanent failures stay, with a 422', async () => {
  await withEmulator({ seed: 5, rowErrorRate: 0.5, permanentErrorShare: 1 }, async (client) => {
    const first = await client.run(chatRows(40));
    const second = await client.run(chatRows(40));
    expect(customIds(first.error).length).toBeGreaterThan(5);
    expect(customIds(second.error)).toEqual(customIds(first.error));
    const statuses = lines(first.error).map((line) => wire(line['response'])['status_code']);
    expect(new Set(statuses)).toEqual(new Set([422]));
  });
});

test('output is shuffled, the same way each time', async () => {
  await withEmulator({ seed: 4 }, async (client) => {
    const ids = chatRows(100).map((row) => String(row.custom_id));
    const first = customIds((await client.run(chatRows(100))).output);
    expect(first).not.toEqual(ids);
    expect(first.toSorted()).toEqual(ids.toSorted());
    expect(customIds((await client.run(chatRows(100))).output)).toEqual(first);
  });
});
