import { startEmulator } from '../../emulator/index.js';
import type { Emulator, EmulatorOptions } from '../../emulator/index.js';

/** A JSON object of the API, read loosely: these tests look at the wire, not at a schema. */
export type Wire = Readonly<Record<string, unknown>>;

function isWire(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function wire(value: unknown): Wire {
  if (!isWire(value)) throw new Error(`Not an object: ${JSON.stringify(value)}`);
  return value;
}

export function wires(value: unknown): readonly Wire[] {
  if (!Array.isArray(value)) throw new Error(`Not a list: ${JSON.stringify(value)}`);
  return value.map(wire);
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`Not a string: ${JSON.stringify(value)}`);
  return value;
}

export interface Row {
  readonly custom_id: string | null;
  readonly body: Wire;
}

export function chatRow(customId: string, question = `What about ${customId}?`): Row {
  return { custom_id: customId, body: { messages: [{ role: 'user', content: question }] } };
}

export function chatRows(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => chatRow(`row-${index}`));
}

export function jsonl(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A small HTTP client for one key, and the emulator's own routes. */
export class EmulatorClient {
  readonly emulator: Emulator;
  readonly #key: string;

  constructor(emulator: Emulator, key = 'test-key') {
    this.emulator = emulator;
    this.#key = key;
  }

  static async start(options: EmulatorOptions = {}): Promise<EmulatorClient> {
    return new EmulatorClient(await startEmulator({ jobSeconds: 0.05, cancelSeconds: 0.02, ...options }));
  }

  as(key: string): EmulatorClient {
    return new EmulatorClient(this.emulator, key);
  }

  close(): Promise<void> {
    return this.emulator.close();
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.#key}`);
    return fetch(`${this.emulator.url}${path}`, { ...init, headers });
  }

  send(method: string, path: string, body?: unknown): Promise<Response> {
    return this.fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  }

  /** The JSON answer of a call that must succeed. */
  async ok(method: string, path: string, body?: unknown): Promise<Wire> {
    const response = await this.send(method, path, body);
    const answered: unknown = await response.json();
    if (response.status !== 200)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answered)}`);
    return wire(answered);
  }

  sendFile(
    content: string,
    fields: Readonly<Record<string, string>> = { purpose: 'batch' },
    name = 'input.jsonl',
  ) {
    const form = new FormData();
    form.set('file', new Blob([content]), name);
    for (const [field, value] of Object.entries(fields)) form.set(field, value);
    return this.fetch('/v1/files', { method: 'POST', body: form });
  }

  async upload(content: string, fields?: Readonly<Record<string, string>>, name?: string): Promise<Wire> {
    const response = await this.sendFile(content, fields, name);
    if (response.status !== 200) throw new Error(`Upload: ${response.status} ${await response.text()}`);
    return wire(await response.json());
  }

  create(input: Wire): Promise<Wire> {
    return this.ok('POST', '/v1/batch/jobs', {
      endpoint: '/v1/chat/completions',
      model: 'mistral-small-latest',
      ...input,
    });
  }

  /** Uploads rows and creates a job on them. Returns the job's id. */
  async submit(rows: readonly unknown[] | string, more: Wire = {}): Promise<string> {
    const file = await this.upload(typeof rows === 'string' ? rows : jsonl(rows));
    return text((await this.create({ input_files: [file['id']], ...more }))['id']);
  }

  job(id: string): Promise<Wire> {
    return this.ok('GET', `/v1/batch/jobs/${id}`);
  }

  /** Polls until the job has ended. */
  async ended(id: string): Promise<Wire> {
    for (;;) {
      const job = await this.job(id);
      if (job['completed_at'] !== null) return job;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async download(fileId: unknown): Promise<string> {
    if (fileId === null) return '';
    const response = await this.fetch(`/v1/files/${text(fileId)}/content`);
    if (response.status !== 200) throw new Error(`Download: ${response.status}`);
    return response.text();
  }

  async run(
    rows: readonly unknown[] | string,
    more: Wire = {},
  ): Promise<{ job: Wire; output: string; error: string }> {
    const job = await this.ended(await this.submit(rows, more));
    return {
      job,
      output: await this.download(job['output_file']),
      error: await this.download(job['error_file']),
    };
  }

  async setFaults(...rules: readonly Wire[]): Promise<void> {
    await this.ok('POST', '/_emulator/faults', { rules });
  }

  async journal(query = ''): Promise<readonly Wire[]> {
    return wires((await this.ok('GET', `/_emulator/journal${query}`))['requests']);
  }
}

export function lines(content: string): readonly Wire[] {
  return content
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => wire(JSON.parse(line)));
}

/** The custom_ids of a file's lines, `null` as text. */
export function customIds(content: string): readonly string[] {
  return lines(content).map((line) => String(line['custom_id']));
}
