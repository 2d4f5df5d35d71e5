import { expect } from 'vitest';
import { z } from 'zod';
import { startEmulator } from '../../emulator/index.js';
import type { Emulator, EmulatorOptions } from '../../emulator/index.js';

const requestSchema = z.object({
  n: z.number(),
  method: z.string(),
  path: z.string(),
  route: z.string().nullable(),
  key: z.string().nullable(),
  status: z.number().nullable(),
  effect: z.record(z.string(), z.unknown()).nullable(),
  aborted: z.literal(true).optional(),
  fault: z.string().optional(),
});

const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  metadata: z.record(z.string(), z.string()).nullable(),
  total_requests: z.number(),
  completed_requests: z.number(),
  input_files: z.array(z.string()),
  output_file: z.string().nullable(),
  error_file: z.string().nullable(),
});

const rulesSchema = z.object({ rules: z.array(z.object({ id: z.string() })) });

export type JournalRequest = z.output<typeof requestSchema>;
export type EmulatorJob = z.output<typeof jobSchema>;

interface WaitOptions {
  readonly count?: number;
  readonly until?: 'received' | 'effect' | 'answered';
}

/** Runs in the test's process, so that it outlives everything that the test kills. */
export class E2eEmulator {
  readonly url: string;
  readonly #emulator: Emulator;

  private constructor(emulator: Emulator) {
    this.#emulator = emulator;
    this.url = emulator.url;
  }

  static async start(options: EmulatorOptions = {}): Promise<E2eEmulator> {
    return new E2eEmulator(await startEmulator({ jobSeconds: 1, seed: 7, ...options }));
  }

  /** Closes this one, and starts another at its address. */
  async renewed(options: EmulatorOptions): Promise<E2eEmulator> {
    await this.close();
    return E2eEmulator.start({ ...options, port: this.#emulator.port });
  }

  close(): Promise<void> {
    return this.#emulator.close();
  }

  async journal(route?: string): Promise<JournalRequest[]> {
    const { requests } = await this.#get(
      `/_emulator/journal${route === undefined ? '' : `?route=${route}`}`,
      z.object({ requests: z.array(requestSchema) }),
    );
    return requests;
  }

  /** Returns once so many requests of the route have come so far. */
  async waitFor(route: string, { count = 1, until = 'received' }: WaitOptions = {}): Promise<void> {
    const query = `wait=${route}&count=${count}&until=${until}&timeout=60000`;
    const answer = await this.#get(`/_emulator/journal?${query}`, z.object({ satisfied: z.boolean() }));
    expect(answer.satisfied, `${count} × ${route} ${until} within a minute`).toBe(true);
  }

  /** How many requests of the route took effect. */
  async effects(route: string): Promise<number> {
    return (await this.journal(route)).filter(({ effect }) => effect !== null).length;
  }

  async jobs(batchId?: string): Promise<EmulatorJob[]> {
    const { jobs } = await this.#get('/_emulator/jobs', z.object({ jobs: z.array(jobSchema) }));
    return jobs.filter(({ metadata }) => batchId === undefined || metadata?.['longhaul_batch'] === batchId);
  }

  /** Returns the rules' ids. */
  async setFaults(...rules: readonly object[]): Promise<readonly string[]> {
    return (await this.#post('/_emulator/faults', { rules }, rulesSchema)).rules.map(({ id }) => id);
  }

  async clearFaults(): Promise<void> {
    const response = await fetch(`${this.url}/_emulator/faults`, { method: 'DELETE' });
    expect(response.status, await response.text()).toBe(200);
  }

  async removeFaults(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const response = await fetch(`${this.url}/_emulator/faults/${id}`, { method: 'DELETE' });
      expect(response.status, await response.text()).toBe(200);
    }
  }

  /** Lets held requests go on; returns how many there were. */
  async release(route?: string): Promise<number> {
    const body = route === undefined ? {} : { route };
    return (await this.#post('/_emulator/release', body, z.object({ released: z.number() }))).released;
  }

  /** What somebody else does with the same key: deletes a job or a file. */
  async delete(path: string, key: string): Promise<void> {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${this.url}${path}`, { method: 'DELETE', headers });
    expect(response.status, await response.text()).toBe(200);
  }

  async #get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await fetch(`${this.url}${path}`);
    expect(response.status, path).toBe(200);
    return schema.parse(await response.json());
  }

  async #post<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return schema.parse(JSON.parse(text));
  }
}
