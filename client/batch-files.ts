import type { z } from 'zod';
import type { JobAccount } from '../batch/account.js';
import { parseJson } from '../batch/json-text.js';
import { layout, parseRoundPath, roundFile } from '../batch/layout.js';
import type { FileReference, Manifest } from '../batch/manifest.js';
import { manifestSchema } from '../schemas/manifest.js';
import { jobRecordSchema, planSchema, roundAccountSchema } from '../schemas/records.js';
import type { Plan } from '../schemas/records.js';
import { errorLineSchema, resultLineSchema } from '../schemas/result-line.js';
import type { ErrorLine, ResultLine } from '../schemas/result-line.js';
import { readLines } from '../storage/jsonl.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { fromStore } from './errors.js';
import { LonghaulError } from './failures.js';
import { noResults } from './no-results.js';

/** A job that was created and not collected yet. */
export interface OpenJobRecord {
  readonly shard: number;
  readonly round: number;
  readonly jobId: string;
  readonly createdAt: string;
}

/** What the store holds of one batch, read only. */
export class BatchFiles {
  readonly batchId: string;
  readonly #store: Store;

  constructor(store: Store, batchId: string) {
    this.#store = store;
    this.batchId = batchId;
  }

  get resultsUri(): string {
    return this.#store.uriOf(layout.results(this.batchId));
  }

  get errorsUri(): string {
    return this.#store.uriOf(layout.errors(this.batchId));
  }

  manifest(): Promise<Manifest | null> {
    return this.#record(layout.manifest(this.batchId), manifestSchema);
  }

  plan(): Promise<Plan | null> {
    return this.#record(layout.plan(this.batchId), planSchema);
  }

  /** Jobs of closed rounds as the manifest will list them, and those that are still open. */
  async jobs(): Promise<{ readonly closed: readonly JobAccount[]; readonly open: readonly OpenJobRecord[] }> {
    const closed: JobAccount[] = [];
    const open: OpenJobRecord[] = [];
    for (const folder of await this.#rounds()) {
      const account = await this.#record(roundFile.account(folder), roundAccountSchema);
      if (account !== null) {
        closed.push(withoutUndefined(account.job));
        closed.push(
          ...account.duplicates.map((job) => ({ ...withoutUndefined(job), duplicate: true }) as const),
        );
        continue;
      }
      const job = await this.#record(roundFile.job(folder), jobRecordSchema);
      const place = parseRoundPath(roundFile.job(folder));
      if (job === null || place === null) continue;
      open.push({ ...place, jobId: job.jobId, createdAt: new Date(job.createdAt).toISOString() });
    }
    return { closed, open };
  }

  results(): AsyncGenerator<ResultLine> {
    return this.#lines('results', resultLineSchema);
  }

  errors(): AsyncGenerator<ErrorLine> {
    return this.#lines('errors', errorLineSchema);
  }

  async *bytes(kind: 'results' | 'errors'): AsyncGenerator<Uint8Array> {
    const { bytes } = await this.#published(kind);
    let read = 0;
    try {
      for await (const chunk of this.#store.read(layout[kind](this.batchId))) {
        read += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw fromStore(error);
    }
    if (read === bytes) return;
    const uri = this.#store.uriOf(layout[kind](this.batchId));
    throw new LonghaulError('IntegrityMismatch', `${uri} has ${read} bytes, its manifest says ${bytes}`);
  }

  async *#lines<S extends z.ZodType>(kind: 'results' | 'errors', schema: S): AsyncGenerator<z.output<S>> {
    for await (const lines of readLines(this.bytes(kind))) {
      for (const { bytes, line } of lines) yield this.#parse(kind, schema, bytes.toString('utf8'), line);
    }
  }

  #parse<S extends z.ZodType>(
    kind: 'results' | 'errors',
    schema: S,
    text: string,
    line: number,
  ): z.output<S> {
    const result = schema.safeParse(parseJson(text));
    if (result.success) return result.data;
    const uri = this.#store.uriOf(layout[kind](this.batchId));
    throw new LonghaulError(
      'IntegrityMismatch',
      `line ${line} of ${uri} is not what Longhaul wrote; restore the file, or use the version that wrote it`,
    );
  }

  /** Only what a manifest accounts for is handed out: files of a batch that goes on are about to be replaced. */
  async #published(kind: 'results' | 'errors'): Promise<FileReference> {
    const manifest = await this.manifest();
    if (manifest === null) {
      throw new LonghaulError(
        'NotFinished',
        `batch ${this.batchId} has no ${kind} in ${this.#store.uri} yet`,
      );
    }
    const reference = manifest[kind];
    if (reference === null) throw noResults(manifest);
    return reference;
  }

  async #rounds(): Promise<string[]> {
    const folders = new Set<string>();
    try {
      for await (const { path } of this.#store.list(layout.rounds(this.batchId))) {
        const place = parseRoundPath(path);
        if (place !== null) folders.add(layout.round(this.batchId, place.shard, place.round));
      }
    } catch (error) {
      throw fromStore(error);
    }
    return [...folders];
  }

  async #record<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> {
    try {
      return await readRecord(this.#store, path, schema);
    } catch (error) {
      throw fromStore(error);
    }
  }
}

function withoutUndefined({ duplicate, ...job }: z.output<typeof roundAccountSchema>['job']): JobAccount {
  return duplicate === undefined ? job : { ...job, duplicate };
}
