import type { OutputReading } from '../batch/output-doubt.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider, FileDownload } from '../providers/provider.js';
import { hashing, sha256Hex } from '../storage/hash.js';
import { readLines } from '../storage/jsonl.js';
import { assertFreeSpace } from '../storage/scratch.js';
import type { AnswerSorter } from './answer-sorter.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';

/** A line of the provider's longer than this is no answer of a row: it is quarantined unread. */
const MAX_LINE_BYTES = 128 * 1024 * 1024;
const NEWLINE = 0x0a;

interface ResultFile {
  readonly fileId: string;
  readonly bytes: number | null;
}

/** Reads a job's result files into the sorter. */
export class OutputReader {
  /** A file that the job names can't be had any more. */
  gone = false;
  expectedBytes = 0;
  #lines = 0;
  #cutOff = false;
  #oversized = false;
  #digests: string[] = [];
  readonly #provider: BatchProvider;
  readonly #scratchDir: string;
  readonly #attempt: Attempt;

  constructor(provider: BatchProvider, scratchDir: string, attempt: Attempt) {
    this.#provider = provider;
    this.#scratchDir = scratchDir;
    this.#attempt = attempt;
  }

  /** Asks for the sizes first: whether they fit on the disk is better known before the download than after it. */
  async open(fileIds: readonly (string | null)[]): Promise<ResultFile[]> {
    const files: ResultFile[] = [];
    const { signal } = this.#attempt;
    for (const fileId of fileIds) {
      if (fileId === null) continue;
      const file = await this.#unlessGone(() => this.#provider.getFile(fileId, { signal }));
      if (file === null) continue;
      files.push({ fileId, bytes: file.bytes });
      this.expectedBytes += file.bytes ?? 0;
    }
    // Sorted copies, and the answers that are written from them.
    await assertFreeSpace(this.#scratchDir, 2 * this.expectedBytes);
    return files;
  }

  async read({ fileId, bytes }: ResultFile, sorter: AnswerSorter): Promise<void> {
    const { signal } = this.#attempt;
    const download = await this.#unlessGone(() => this.#download(fileId, signal));
    if (download === null) return;
    let received = 0;
    let lastByte: number | undefined = NEWLINE;
    const { beat } = this.#attempt;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of download?.content ?? []) {
        received += chunk.length;
        lastByte = chunk.at(-1) ?? lastByte;
        beat(`${received} of ${bytes ?? 'unknown'} bytes of ${fileId}`);
        yield chunk;
      }
    }
    const source = hashing(counted());
    let lastIsUnreadable = false;
    let rows = 0;
    for await (const lines of readLines(source.bytes, { maxLineBytes: MAX_LINE_BYTES })) {
      this.#lines += lines.length;
      for (const line of lines) {
        const read = this.#provider.readOutputLine(line.bytes);
        lastIsUnreadable = read.kind === 'unreadable';
        if (!lastIsUnreadable) rows += 1;
        await sorter.add(line.bytes, read);
      }
    }
    this.#oversized ||= isOversized(fileId, { received, bytes, rows }, download);
    this.#cutOff ||= bytes === null && lastByte !== NEWLINE && lastIsUnreadable;
    this.#digests.push(source.digest());
  }

  /** What came of all files that were read. */
  reading(): OutputReading {
    const doubtful = { cutOff: this.#cutOff, oversized: this.#oversized };
    return { lines: this.#lines, ...doubtful, sha256: sha256Hex(this.#digests.join()) };
  }

  /** An encoding that was not asked for is not mended by asking again. */
  async #download(fileId: string, signal: AbortSignal): Promise<FileDownload> {
    try {
      return await this.#provider.downloadFile(fileId, { signal });
    } catch (error) {
      const isContent = error instanceof ProviderError && error.status !== undefined && error.status < 300;
      if (!isContent || error.type !== 'ProviderContract') throw error;
      throw new BatchError('ProviderContract', error.message);
    }
  }

  async #unlessGone<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ProviderError) || error.type !== 'ProviderNotFound') throw error;
      this.gone = true;
      return null;
    }
  }
}

/** Shorter than is said: a part. Longer, to its own end: if it has rows the size is wrong, else it is a page, not the file. */
function isOversized(
  fileId: string,
  {
    received,
    bytes,
    rows,
  }: { readonly received: number; readonly bytes: number | null; readonly rows: number },
  { contentLength }: FileDownload,
): boolean {
  const expected = bytes ?? contentLength;
  if (expected === null || expected === received) return false;
  const isItsEnd = contentLength === null || contentLength === received;
  if (received > expected && isItsEnd && rows > 0) return true;
  throw new BatchError(
    'ProviderUnavailable',
    `the download of ${fileId} has ${received} bytes and the provider says ${expected}; it is repeated`,
  );
}
