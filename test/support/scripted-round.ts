import { layout, roundFile } from '../../batch/layout.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import type { CollectInput, CollectResult, OpenRound } from '../../activities/contract.js';
import { ProviderError } from '../../providers/errors.js';
import type { BatchProvider, RemoteJob } from '../../providers/provider.js';
import { attemptOf, Bench, runActivity } from './activity-env.js';
import { BATCH, collectInput } from './activity-inputs.js';
import type { Wire } from './activity-inputs.js';
import { remoteJob } from './create-world.js';
import { scriptedProvider } from './scripted-provider.js';

/** Result files by id; null is a file that is gone. */
export type ResultFiles = Map<string, string | Buffer | null>;

/** A provider that has these result files and this job. */
export function withFiles(
  files: ResultFiles,
  job: () => RemoteJob,
  more: Partial<BatchProvider> = {},
): BatchProvider {
  const contentOf = (fileId: string): Buffer => {
    const content = files.get(fileId) ?? null;
    if (content !== null) return Buffer.from(content);
    throw new ProviderError('ProviderNotFound', 'get file: 404', { effect: 'refused', status: 404 });
  };
  return scriptedProvider({
    // As a real client: what is not there is noticed when the answer comes, not before.
    getFile: async (id) => {
      const content = contentOf(id);
      return Promise.resolve({ id, name: id, bytes: content.length, lines: null, createdAt: 0 });
    },
    downloadFile: async (id) => {
      const whole = contentOf(id);
      const middle = Math.floor(whole.length / 2);
      const content = (async function* () {
        yield whole.subarray(0, middle);
        yield whole.subarray(middle);
      })();
      return Promise.resolve({ contentLength: whole.length, content });
    },
    getJob: () => Promise.resolve(job()),
    ...more,
  });
}

export interface Ending extends Partial<Omit<CollectInput, 'job'>> {
  readonly output?: string | Buffer | null | undefined;
  readonly error?: string | Buffer | null | undefined;
  readonly job?: Partial<JobSnapshot>;
  readonly errors?: RemoteJob['errors'];
  readonly attempt?: number;
  /** How many earlier attempts have not found a result file. */
  readonly absences?: number;
  readonly provider?: Partial<BatchProvider>;
}

/** A first round whose job ends as the test says: `undefined` is a file that the job does not name. */
export class ScriptedRound {
  readonly bench: Bench;
  readonly open: OpenRound;

  static async begin(input: string, more: Wire = {}): Promise<ScriptedRound> {
    const bench = await Bench.start();
    await bench.prepare(input, more);
    return new ScriptedRound(bench, await bench.begin()).#recorded();
  }

  private constructor(bench: Bench, open: OpenRound) {
    this.bench = bench;
    this.open = open;
  }

  async #recorded(): Promise<this> {
    const record = { key: this.open.key, jobId: 'job-1', createdAt: 0, inputFiles: ['input-file'] };
    await this.bench.store.writeSmall(this.path('job'), JSON.stringify(record));
    return this;
  }

  path(file: 'answers' | 'quarantine' | 'account' | 'job' | 'input'): string {
    return roundFile[file](layout.round(BATCH, 0, 1));
  }

  /** The input of `collect` and what it needs to run, for a job that ended so. */
  ending({ output, error, job, errors = [], attempt = 1, absences = 0, provider = {}, ...more }: Ending) {
    const files: ResultFiles = new Map();
    if (output !== undefined) files.set('output-file', output);
    if (error !== undefined) files.set('error-file', error);
    const snapshot: JobSnapshot = {
      jobId: 'job-1',
      phase: 'succeeded',
      status: 'SUCCESS',
      counts: { total: 0, completed: 0, succeeded: 0, failed: 0 },
      outputFile: output === undefined ? null : 'output-file',
      errorFile: error === undefined ? null : 'error-file',
      createdAt: 0,
      completedAt: 1000,
      ...job,
    };
    const remote = (): RemoteJob => ({
      ...remoteJob('job-1', 0, { fileId: 'input-file', metadata: { longhaul_key: this.open.key } }),
      ...snapshot,
      errors,
    });
    const deps = this.bench.with({ provider: () => withFiles(files, remote, provider) });
    return {
      deps,
      input: collectInput(this.open, snapshot, more),
      files,
      attempt: attemptOf({ attempt, absences }),
    };
  }

  collect(ending: Ending): Promise<CollectResult> {
    const { deps, input, attempt } = this.ending(ending);
    return runActivity(deps, 'collect', input, attempt);
  }

  /** `answers.jsonl`: the heads beside the lines that the results will have. */
  answers(): Promise<readonly Wire[]> {
    return this.bench.lines(this.path('answers'));
  }

  async quarantine(): Promise<readonly Wire[]> {
    const files = await this.bench.files();
    return files.includes('rounds/00000-1/quarantine.jsonl') ? this.bench.lines(this.path('quarantine')) : [];
  }

  account(): Promise<Wire> {
    return this.bench.json(this.path('account'));
  }

  /** The lines of `results.jsonl`, once the batch is assembled from this round. */
  async results(): Promise<readonly Wire[]> {
    await this.bench.assemble();
    return this.bench.lines(layout.results(BATCH));
  }
}

/** A line of a result file. */
export function answer(customId: string, text = `answer of ${customId}`, status = 200): string {
  const body = { text, usage: { prompt_tokens: 3, total_tokens: 5 } };
  return JSON.stringify({
    id: 'x',
    custom_id: customId,
    response: { status_code: status, body },
    error: null,
  });
}

export function failed(customId: string, error: unknown, response: unknown = null): string {
  return JSON.stringify({ id: 'x', custom_id: customId, response, error });
}

export function fileOf(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
