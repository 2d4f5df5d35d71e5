import { ProviderError } from '../../providers/errors.js';
import { readOutputLine } from '../../providers/mistral/output-line.js';
import type {
  BatchProvider,
  CreateJobRequest,
  FileDownload,
  FileUpload,
  JobFilter,
  OutputLine,
  ProviderCapabilities,
  RemoteFile,
  RemoteJob,
} from '../../providers/provider.js';
import { FakeJob, outputLine, USUAL_COURSE } from './fake-provider-jobs.js';
import type { JobCourse } from './fake-provider-jobs.js';

export type Route =
  | 'checkAccount'
  | 'listJobs'
  | 'createJob'
  | 'getJob'
  | 'cancelJob'
  | 'uploadFile'
  | 'findFiles'
  | 'deleteFile'
  | 'downloadFile';

/** `after`: the request took effect and its answer is lost. */
export type Fault = { readonly when: 'before' | 'after'; readonly error: ProviderError };

export interface FakeProviderOptions {
  readonly now: () => number;
  /** How the n-th job goes, n from 1. */
  readonly course?: (n: number) => Partial<JobCourse>;
  /** Asked at each call of a route, `n` from 1. */
  readonly fault?: (route: Route, n: number) => Fault | null;
  /** How long a new job is not in the list yet. */
  readonly listedAfterMs?: number;
}

interface FakeFile extends RemoteFile {
  readonly content: Buffer;
}

/** A small provider in memory whose jobs advance by the clock it is given. */
export class FakeProvider implements BatchProvider {
  readonly name = 'mistral';
  readonly origin = 'http://127.0.0.1:1';
  readonly capabilities: ProviderCapabilities = {
    endpoints: ['/v1/chat/completions'],
    maxRowsPerJob: 1_000_000,
    maxBytesPerFile: 512_000_000,
    defaultShardRows: 1_000_000,
    defaultShardBytes: 500_000_000,
    jobTimeoutHours: { min: 1, max: 168, default: 24 },
    metadata: { maxKeyLength: 32, maxValueLength: 512 },
  };
  readonly jobs: FakeJob[] = [];
  readonly calls = new Map<Route, number>();
  /** Like the options, but may be changed while a batch runs. */
  fault: (route: Route, n: number) => Fault | null;
  readonly #options: FakeProviderOptions;
  readonly #files = new Map<string, FakeFile>();

  constructor(options: FakeProviderOptions) {
    this.#options = options;
    this.fault = options.fault ?? (() => null);
  }

  callsOf(route: Route): number {
    return this.calls.get(route) ?? 0;
  }

  checkAccount(): Promise<void> {
    return this.#call('checkAccount', () => undefined);
  }

  async *listJobs({ metadata = {} }: JobFilter): AsyncGenerator<RemoteJob> {
    const listed = await this.#call('listJobs', (now) => {
      const shown = this.jobs.filter((job) => job.createdAt + (this.#options.listedAfterMs ?? 0) <= now);
      const asked = Object.entries(metadata);
      return shown
        .filter((job) => !job.deleted && asked.every(([key, value]) => job.metadata[key] === value))
        .map((job) => job.remoteAt(now));
    });
    yield* listed.toReversed();
  }

  createJob(request: CreateJobRequest): Promise<RemoteJob> {
    return this.#call('createJob', (now) => {
      const file = this.#files.get(request.fileId);
      if (file === undefined) throw notFound('file');
      const id = `job-${this.jobs.length + 1}`;
      const course = { ...USUAL_COURSE, ...this.#options.course?.(this.jobs.length + 1) };
      const rows = customIds(file.content).map((customId) => ({
        customId,
        answer: course.answer(customId, this.#roundsOf(customId) + 1),
      }));
      const job = new FakeJob({ ...request, id, createdAt: now, rows, course });
      this.jobs.push(job);
      return job.remoteAt(now);
    });
  }

  /** What a create that was committed late leaves: a second job with the key of the first. */
  duplicate(jobId: string): Promise<RemoteJob> {
    const { fileId, metadata, request } = this.#job(jobId);
    return this.createJob({ fileId, metadata, ...request, timeoutHours: 24 });
  }

  getJob(jobId: string): Promise<RemoteJob> {
    return this.#call('getJob', (now) => this.#job(jobId).remoteAt(now));
  }

  cancelJob(jobId: string): Promise<RemoteJob> {
    return this.#call('cancelJob', (now) => {
      const job = this.#job(jobId);
      job.cancelAt(now);
      return job.remoteAt(now);
    });
  }

  async deleteJob(jobId: string): Promise<void> {
    this.#job(jobId).deleted = true;
  }

  async uploadFile({ name, open }: FileUpload): Promise<RemoteFile> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of open()) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    return this.#call('uploadFile', (now) => {
      const lines = content.toString('utf8').split('\n').length - 1;
      const id = `file-${this.#files.size + 1}`;
      const file = { id, name, bytes: content.length, lines, createdAt: now, content };
      this.#files.set(id, file);
      return file;
    });
  }

  findFiles(name: string): Promise<readonly RemoteFile[]> {
    return this.#call('findFiles', () => [...this.#files.values()].filter((file) => file.name === name));
  }

  async *listFiles(): AsyncGenerator<RemoteFile> {
    yield* this.#files.values();
  }

  async getFile(fileId: string): Promise<RemoteFile> {
    return this.#files.get(fileId) ?? this.#output(fileId, this.#options.now());
  }

  deleteFile(fileId: string): Promise<void> {
    return this.#call('deleteFile', () => void this.#files.delete(fileId));
  }

  downloadFile(fileId: string): Promise<FileDownload> {
    return this.#call('downloadFile', (now) => {
      const { content } = this.#output(fileId, now);
      return { contentLength: content.length, content: once(content) };
    });
  }

  async fileUrl(fileId: string): Promise<string> {
    return `${this.origin}/files/${fileId}`;
  }

  readOutputLine(line: Uint8Array): OutputLine {
    return readOutputLine(line);
  }

  #output(fileId: string, now: number): FakeFile {
    const [, kind, jobId = ''] = /^(output|errors)-(.*)$/.exec(fileId) ?? [];
    const job = this.#job(jobId);
    const wanted = job.answeredAt(now).filter(({ answer }) => (answer === 'ok') === (kind === 'output'));
    // Providers keep no order; the reverse is the worst of them.
    const content = Buffer.from(wanted.toReversed().map(outputLine).join(''));
    const { length: bytes } = content;
    return { id: fileId, name: fileId, bytes, lines: wanted.length, createdAt: job.createdAt, content };
  }

  #roundsOf(customId: string): number {
    return this.jobs.filter((job) => job.rows.some((row) => row.customId === customId)).length;
  }

  #job(jobId: string): FakeJob {
    const job = this.jobs.find(({ id, deleted }) => id === jobId && !deleted);
    if (job === undefined) throw notFound('job');
    return job;
  }

  async #call<T>(route: Route, effect: (now: number) => T): Promise<T> {
    const n = this.callsOf(route) + 1;
    this.calls.set(route, n);
    const fault = this.fault(route, n);
    if (fault?.when === 'before') throw fault.error;
    const result = effect(this.#options.now());
    if (fault !== null) throw fault.error;
    return result;
  }
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

function notFound(what: string): ProviderError {
  return new ProviderError('ProviderNotFound', `no such ${what}`, { status: 404, effect: 'refused' });
}

function customIds(content: Buffer): string[] {
  return content
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row: unknown = JSON.parse(line);
      if (typeof row !== 'object' || row === null || !('custom_id' in row)) throw new Error('row without id');
      return String(row.custom_id);
    });
}
