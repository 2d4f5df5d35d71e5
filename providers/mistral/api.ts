import type { z } from 'zod';
import { parseJson } from '../../batch/json-text.js';
import { ProviderError } from '../errors.js';
import { HttpClient, type HttpCall } from '../http.js';
import { isSuccess, type HttpAnswer } from '../http-answer.js';
import type { CallOptions, FileDownload, FileUpload } from '../provider.js';
import type { SleepingClock, TokenBucket } from '../token-bucket.js';
import { doubtful, failureOfAnswer, unreadableAnswer, type CallFacts } from './errors.js';

/** Of calls with small answers, whole; the create's comes from its caller. */
const CALL_TIMEOUT_MS = 30_000;
/** Of transfers, without progress. */
const TRANSFER_TIMEOUT_MS = 60_000;

export interface ApiOptions {
  /** Null: every call fails with ProviderAuth before anything is sent. */
  readonly apiKey: string | null;
  readonly baseUrl: URL;
  readonly userAgent: string;
  readonly bucket: TokenBucket | null;
  readonly clock: SleepingClock;
}

export type ApiCall = Pick<HttpCall, 'name' | 'method' | 'path' | 'query' | 'json'> & {
  readonly creates?: boolean;
};

/** Mistral's API below its routes: authorisation, time-outs, and answers turned into values or ProviderErrors. */
export class MistralApi {
  readonly #http: HttpClient;
  readonly #hasKey: boolean;
  readonly #clock: SleepingClock;

  constructor({ apiKey, baseUrl, userAgent, bucket, clock }: ApiOptions) {
    this.#clock = clock;
    this.#hasKey = apiKey !== null;
    this.#http = new HttpClient({
      baseUrl,
      authorization: `Bearer ${apiKey ?? ''}`,
      secret: apiKey ?? '',
      userAgent,
      gate: async (signal) => bucket?.take(signal),
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  /** A JSON call whose answer is read by `schema`. */
  async json<T>(call: ApiCall, schema: z.ZodType<T>, options: CallOptions): Promise<T> {
    const answer = await this.#call(call, options);
    return this.#read(call, answer, schema);
  }

  /** As `json`, for answers that a function reads; null is "does not fit". */
  async page<T>(call: ApiCall, read: (value: unknown) => T | null, options: CallOptions): Promise<T> {
    const answer = await this.#call(call, options);
    const page = read(parseJson(answer.text));
    if (page === null) throw unreadableAnswer(answer, factsOf(call), 'the answer is not a list');
    return page;
  }

  /** The answer to a DELETE says nothing that its status does not, unless it says that nothing was deleted. */
  async remove<T extends { readonly deleted?: boolean | null | undefined }>(
    call: ApiCall,
    schema: z.ZodType<T>,
    options: CallOptions,
  ): Promise<void> {
    const answer = await this.#call(call, options).catch((error: unknown) => {
      // What is asked for is that it be gone; an earlier attempt's answer may have been lost.
      if (error instanceof ProviderError && error.type === 'ProviderNotFound') return null;
      throw error;
    });
    if (answer === null) return;
    const reply = schema.safeParse(parseJson(answer.text));
    if (reply.success && reply.data.deleted === false) {
      throw unreadableAnswer(answer, factsOf(call), 'says that nothing was deleted');
    }
  }

  async upload<T>(
    call: ApiCall,
    file: FileUpload,
    fields: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    options: CallOptions,
  ): Promise<T> {
    this.#needKey(call);
    const http = { ...httpCall(call, options, TRANSFER_TIMEOUT_MS), once: true };
    const answer = await this.#guard(call, () => this.#http.upload(http, file, fields, options.onProgress));
    return this.#read(call, this.#successOf(call, answer), schema);
  }

  async download(call: ApiCall, options: CallOptions): Promise<FileDownload> {
    this.#needKey(call);
    const http = httpCall(call, options, TRANSFER_TIMEOUT_MS);
    const answer = await this.#http.download(http, options.onProgress);
    if ('content' in answer) return answer;
    throw failureOfAnswer(answer, factsOf(call), this.#clock.now());
  }

  async #call(call: ApiCall, options: CallOptions): Promise<HttpAnswer> {
    this.#needKey(call);
    const http = { ...httpCall(call, options, CALL_TIMEOUT_MS), once: call.creates === true };
    const answer = await this.#guard(call, () => this.#http.call(http));
    return this.#successOf(call, answer);
  }

  async #guard<T>(call: ApiCall, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw error instanceof ProviderError ? doubtful(factsOf(call), error) : error;
    }
  }

  #successOf(call: ApiCall, answer: HttpAnswer): HttpAnswer {
    if (isSuccess(answer.status)) return answer;
    throw failureOfAnswer(answer, factsOf(call), this.#clock.now());
  }

  #read<T>(call: ApiCall, answer: HttpAnswer, schema: z.ZodType<T>): T {
    const value = schema.safeParse(parseJson(answer.text));
    if (value.success) return value.data;
    const fields = [...new Set(value.error.issues.map((issue) => issue.path.join('.')))].filter(Boolean);
    const problem =
      fields.length === 0 ? 'the answer is not the documented object' : `can't read ${fields.join(', ')}`;
    throw unreadableAnswer(answer, factsOf(call), problem);
  }

  #needKey(call: ApiCall): void {
    if (this.#hasKey) return;
    throw new ProviderError('ProviderAuth', `${call.name}: no API key; set MISTRAL_API_KEY for the worker`, {
      effect: 'refused',
    });
  }
}

function factsOf(call: ApiCall): CallFacts {
  return { name: call.name, creates: call.creates === true, sent: textsIn(call.json) };
}

function textsIn(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(textsIn) : [];
}

function httpCall(call: ApiCall, options: CallOptions, defaultTimeoutMs: number): HttpCall {
  const { name, method, path, query, json } = call;
  return {
    name,
    method,
    path,
    json,
    ...(query === undefined ? {} : { query }),
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    signal: options.signal,
  };
}

/** One segment of a path. An id that a path can't carry belongs to nothing. */
export function segment(name: string, id: string): string {
  // Half a surrogate pair, which JSON can say and UTF-8 can't.
  const isText = !/\p{Surrogate}/u.test(id);
  if (isText && id !== '' && id !== '.' && id !== '..') return encodeURIComponent(id);
  throw new ProviderError('ProviderNotFound', `${name}: ${JSON.stringify(id)} is not an id`, {
    effect: 'refused',
  });
}
