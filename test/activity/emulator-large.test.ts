import { expect, test } from 'vitest';

import { chatRow, EmulatorClient, text } from './emulator-support.js';

const ROWS = 100_000;

test(
  'a hundred thousand rows are no effort, and the server answers while it works on them',
  {
    timeout: 120_000,
  },
  async () => {
    const client = await EmulatorClient.start({ jobSeconds: 0, rowErrorRate: 0.01 });
    try {
      const rows = Array.from({ length: ROWS }, (_, index) => JSON.stringify(chatRow(`row-${index}`)));
      const file = await client.upload(rows.join('\n'));
      expect(file['num_lines']).toBe(ROWS);

      const start = performance.now();
      let slowest = 0;
      let answers = 0;
      let job = await client.create({ input_files: [file['id']] });
      while (job['completed_at'] === null) {
        const asked = performance.now();
        job = await client.job(text(job['id']));
        slowest = Math.max(slowest, performance.now() - asked);
        answers += 1;
      }
      // Not in seconds, which say how busy the machine is: one that answers only when a stretch of rows is done is found out.
      expect(slowest).toBeLessThan((performance.now() - start) / 10);
      expect(answers).toBeGreaterThan(100);

      expect(job).toMatchObject({ status: 'SUCCESS', total_requests: ROWS, completed_requests: ROWS });
      const output = await client.download(job['output_file']);
      const error = await client.download(job['error_file']);
      const ids = new Set(
        [...`${output}${error}`.matchAll(/"custom_id":"([^"]+)"/gu)].map((match) => match[1]),
      );
      expect(ids.size).toBe(ROWS);
      expect(error.split('\n').length - 1).toBe(job['failed_requests']);
      expect(output.split('\n').length - 1).toBe(job['succeeded_requests']);
    } finally {
      await client.close();
    }
  },
);
