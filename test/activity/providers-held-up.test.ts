import { expect, it, onTestFinished, vi } from 'vitest';
import { HttpClient } from '../../providers/http.js';
import { json, rawServer } from './providers-raw-server.js';

/** A client whose calls are held up at their gate, ahead of the connection, by a machine that sleeps. */
function sleepyClient(url: string, sleepMs: number): HttpClient {
  const start = Date.now();
  let asleepMs = 0;
  const now = vi.spyOn(Date, 'now').mockImplementation(() => start + asleepMs);
  const client = new HttpClient({
    baseUrl: new URL(url),
    authorization: 'Bearer key',
    secret: 'key',
    userAgent: 'test',
    gate: async () => void (asleepMs += sleepMs),
  });
  onTestFinished(async () => {
    now.mockRestore();
    await client.close();
  });
  return client;
}

const CREATE = { name: 'create job', method: 'POST', path: '/jobs', json: {}, once: true } as const;

it('a create is not sent after its time, though its timer has not run yet', async () => {
  const server = await rawServer((_, response) => json(response, {}));
  const client = sleepyClient(server.url, 5_000);
  await expect(client.call({ ...CREATE, timeoutMs: 5_000 })).rejects.toMatchObject({
    type: 'ProviderUnavailable',
    effect: 'refused',
    message: 'create job: not sent within 5 s',
  });
  expect(server.requests).toEqual([]);
});

it('a create that was held up for less is sent', async () => {
  const server = await rawServer((_, response) => json(response, {}));
  const client = sleepyClient(server.url, 4_999);
  await expect(client.call({ ...CREATE, timeoutMs: 5_000 })).resolves.toMatchObject({ status: 200 });
  expect(server.requests).toHaveLength(1);
});
