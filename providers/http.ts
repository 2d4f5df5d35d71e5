import { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { ProviderError } from './errors.js';
import { flatHeaders, isCompressed, isSuccess, lengthOf, type HttpAnswer } from './http-answer.js';
import { readDownload, readText } from './http-body.js';
import { multipartBody, multipartFrame } from './multipart.js';
import { networkFailure, type SendState } from './network-failure.js';
import type { FileDownload, FileUpload } from './provider.js';
import { redirectTarget } from './redirect.js';
import { Watchdog } from './watchdog.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Error bodies are read for their few words; some gateways answer with whole pages. */
const MAX_ERROR_BYTES = 64 * 1024;
/** A hundred jobs with full metadata stay far below. */
const MAX_REPLY_BYTES = 32 * 1024 * 1024;
const MAX_REDIRECTS = 3;

export interface HttpOptions {
  /** Without a slash at its end; a path in it is kept. */
  readonly baseUrl: URL;
  /** Sent to the base URL's origin only. */
  readonly authorization: string;
  /** Blotted out wherever an answer repeats it. */
  readonly secret: string;
  readonly userAgent: string;
  /** Waits until the next call may be made. */
  readonly gate: (signal?: AbortSignal) => Promise<void>;
}

export interface HttpCall {
  /** Names the call in messages. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, already encoded. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly json?: unknown;
  /** The whole call; for transfers a period without progress. */
  readonly timeoutMs: number;
  /** Undefined is allowed so that options can be handed on as they are. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For a call that must not happen twice. It gets a connection of its own, because on a kept one that the
   * other side is just closing nobody can tell whether it was taken. And its time-out includes the wait
   * for the gate, because the caller has promised when the request leaves at the latest.
   */
  readonly once?: boolean;
}

type Answered = Dispatcher.ResponseData;

/**
 * HTTP as the providers' clients need it: own time-outs, one attempt, streams in constant memory, bounded
 * reading of everything that is not a download. Answers of any status are returned; what is thrown is a
 * ProviderError for a failure below HTTP, the reason of the caller's signal, or the upload source's own error.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #kept = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 });
  /** Closes each connection after its one request. */
  readonly #fresh = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 0,
  });

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Ends idle and open connections; calls under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#fresh.destroy()]);
  }

  /** One call with a small answer, read whole within `timeoutMs`. */
  async call(call: HttpCall): Promise<HttpAnswer> {
    if (call.once !== true) await this.#options.gate(call.signal);
    const watchdog = new Watchdog(call.timeoutMs, call.signal);
    const state: SendState = { started: false };
    try {
      watchdog.restart();
      if (call.once === true) await this.#options.gate(watchdog.signal);
      const answered = await this.#send(call, jsonBody(call), state, watchdog);
      return await this.#readAnswer(call, answered);
    } catch (error) {
      call.signal?.throwIfAborted();
      throw networkFailure(call.name, error, state, watchdog);
    } finally {
      watchdog.end();
    }
  }

  /** Streams one file as a multipart form with a known length. */
  async upload(
    call: HttpCall,
    file: FileUpload,
    fields: Readonly<Record<string, string>>,
    onProgress?: (bytes: number) => void,
  ): Promise<HttpAnswer> {
    await this.#options.gate(call.signal);
    const watchdog = new Watchdog(call.timeoutMs, call.signal);
    const state: SendState = { started: false };
    const source: { failure?: { readonly error: unknown }; complete: boolean } = { complete: false };
    const frame = multipartFrame(file, fields);
    const pieces = multipartBody(frame, file, {
      onProgress: (bytes) => {
        watchdog.restart();
        onProgress?.(bytes);
      },
      onSourceFailure: (error) => (source.failure = { error }),
      onComplete: () => (source.complete = true),
    });
    const body = Readable.from(pieces, { objectMode: false });
    try {
      watchdog.restart();
      const headers = { 'content-type': frame.contentType, 'content-length': String(frame.contentLength) };
      const answered = await this.#send(call, { body, headers }, state, watchdog);
      const answer = await this.#readAnswer(call, answered);
      if (isSuccess(answer.status) && !source.complete) throw tooEarly(call);
      return answer;
    } catch (error) {
      if (source.failure !== undefined) throw source.failure.error;
      call.signal?.throwIfAborted();
      throw networkFailure(call.name, error, state, watchdog);
    } finally {
      watchdog.end();
      body.destroy();
    }
  }

  /**
   * Opens a download. An answer that is no success comes back as an `HttpAnswer`. The content must be read
   * or its iterator returned, or the signal aborted: until then it holds a connection.
   */
  async download(call: HttpCall, onProgress?: (bytes: number) => void): Promise<FileDownload | HttpAnswer> {
    await this.#options.gate(call.signal);
    const watchdog = new Watchdog(call.timeoutMs, call.signal);
    const state: SendState = { started: false };
    try {
      watchdog.restart();
      const answered = await this.#send(call, {}, state, watchdog, true);
      if (!isSuccess(answered.statusCode)) {
        const answer = await this.#readAnswer(call, answered);
        watchdog.end();
        return answer;
      }
      watchdog.pause();
      const contentLength = lengthOf(answered);
      const watch = { call: call.name, contentLength, watchdog, state, signal: call.signal, onProgress };
      return { contentLength, content: readDownload(answered.body, watch) };
    } catch (error) {
      watchdog.end();
      call.signal?.throwIfAborted();
      throw networkFailure(call.name, error, state, watchdog);
    }
  }

  /** To a download a redirect is a step forward. */
  async #send(
    call: HttpCall,
    payload: Payload,
    state: SendState,
    watchdog: Watchdog,
    isDownload = false,
  ): Promise<Answered> {
    let url = this.#urlOf(call);
    for (let hops = 0; ; hops++) {
      const answered = await this.#request(call, url, payload, state, watchdog);
      const target =
        call.method === 'GET' ? redirectTarget(answered.statusCode, answered.headers, url) : null;
      if (target === null) return answered;
      await readText(answered.body, MAX_ERROR_BYTES);
      if (hops === MAX_REDIRECTS) {
        throw new ProviderError('ProviderContract', `${call.name}: more than ${MAX_REDIRECTS} redirects`, {
          effect: 'refused',
          status: answered.statusCode,
        });
      }
      url = target;
      if (url.origin !== this.#options.baseUrl.origin) continue;
      // One more call to the provider. The wait for its turn is none of the time that an answer may take.
      watchdog.pause();
      await this.#options.gate(call.signal);
      if (isDownload) watchdog.restart();
      else watchdog.resume();
    }
  }

  async #request(
    call: HttpCall,
    url: URL,
    payload: Payload,
    state: SendState,
    watchdog: Watchdog,
  ): Promise<Answered> {
    const { baseUrl, authorization, userAgent } = this.#options;
    const agent = call.once === true ? this.#fresh : this.#kept;
    const request = agent
      .compose((dispatch) => (options, handler) => dispatch(options, noticeStart(handler, state, watchdog)))
      .request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: call.method,
        headers: {
          accept: '*/*',
          // What comes must be countable against its Content-Length.
          'accept-encoding': 'identity',
          'user-agent': userAgent,
          ...(url.origin === baseUrl.origin ? { authorization } : {}),
          ...payload.headers,
        },
        body: payload.body ?? null,
        signal: watchdog.signal,
      });
    // Whoever loses the race below fails unheard.
    request.catch(() => undefined);
    const answered = await Promise.race([request, watchdog.aborted]);
    answered.body.on('error', () => undefined);
    const { statusCode: status } = answered;
    if (isSuccess(status) && isCompressed(answered)) {
      answered.body.destroy();
      const message = `${call.name}: a compressed answer that was not asked for`;
      throw new ProviderError('ProviderContract', message, { effect: 'unknown', status });
    }
    return answered;
  }

  async #readAnswer(call: HttpCall, answered: Answered): Promise<HttpAnswer> {
    const status = answered.statusCode;
    const ok = isSuccess(status);
    const { text, truncated } = await readText(answered.body, ok ? MAX_REPLY_BYTES : MAX_ERROR_BYTES);
    if (ok && truncated) {
      const message = `${call.name}: an answer of over ${MAX_REPLY_BYTES} bytes`;
      throw new ProviderError('ProviderContract', message, { effect: 'unknown', status });
    }
    // Of a failure the status says enough.
    const readable = isCompressed(answered) ? '' : this.#withoutSecret(text);
    return { status, headers: flatHeaders(answered), text: readable };
  }

  #withoutSecret(text: string): string {
    // A secret of a few characters is a test's; blotting it out would garble every answer.
    const { secret } = this.#options;
    return secret.length < 8 ? text : text.replaceAll(secret, '[API key]');
  }

  #urlOf(call: HttpCall): URL {
    const url = new URL(this.#options.baseUrl);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${call.path}`;
    url.search = call.query?.toString() ?? '';
    return url;
  }
}

interface Payload {
  readonly body?: string | Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

function jsonBody(call: HttpCall): Payload {
  if (call.json === undefined) return {};
  return { body: JSON.stringify(call.json), headers: { 'content-type': 'application/json' } };
}

/**
 * Sees the moment just before the first byte is written, which tells `refused` from `unknown` exactly. A process that
 * was stopped while it connected must not send then: others have taken its request for lost.
 */
function noticeStart(
  handler: Dispatcher.DispatchHandler,
  state: SendState,
  watchdog: Watchdog,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => {
      if (watchdog.expireIfDue()) throw new Error('the time for this request passed before it was sent');
      state.started = true;
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...event) => handler.onRequestUpgrade?.(...event),
    onResponseStart: (...event) => handler.onResponseStart?.(...event),
    onResponseData: (...event) => handler.onResponseData?.(...event),
    onResponseEnd: (...event) => handler.onResponseEnd?.(...event),
    onResponseError: (...event) => handler.onResponseError?.(...event),
  };
}

function tooEarly(call: HttpCall): ProviderError {
  return new ProviderError('ProviderContract', `${call.name}: answered before the file had been sent`, {
    effect: 'unknown',
  });
}
