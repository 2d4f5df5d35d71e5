import type { BatchProvider } from '../provider.js';
import { sleepingClock, TokenBucket, type SleepingClock } from '../token-bucket.js';
import { MistralApi } from './api.js';
import { mistralCapabilities } from './capabilities.js';
import * as files from './files.js';
import * as jobs from './jobs.js';
import { readOutputLine } from './output-line.js';

export interface MistralOptions {
  /** Null: the provider can be made and described, and every call fails with ProviderAuth. */
  readonly apiKey: string | null;
  /** `https://api.mistral.ai`, or the emulator's; a path in it is kept. */
  readonly baseUrl: string;
  /** Calls per second of this process; unlimited when left out. */
  readonly requestsPerSecond?: number;
  readonly clock?: SleepingClock;
  readonly userAgent?: string;
}

/** Ends the client's connections; calls under way fail. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Mistral's batch and files API. Throws a RangeError or TypeError for options that can't work: a base URL
 * that is none, a key that a header can't carry.
 */
export function createMistralProvider(options: MistralOptions): BatchProvider & Closable {
  const baseUrl = checkedBaseUrl(options.baseUrl);
  const clock = options.clock ?? sleepingClock;
  const rate = options.requestsPerSecond;
  const api = new MistralApi({
    apiKey: checkedKey(options.apiKey),
    baseUrl,
    userAgent: options.userAgent ?? 'longhaul',
    bucket: rate === undefined ? null : new TokenBucket(rate, clock),
    clock,
  });
  return {
    name: 'mistral',
    origin: baseUrl.origin,
    capabilities: mistralCapabilities,
    checkAccount: (call) => jobs.checkAccount(api, call),
    listJobs: (filter, call) => jobs.listJobs(api, filter, call),
    createJob: (request, call) => jobs.createJob(api, request, call),
    getJob: (id, call) => jobs.getJob(api, id, call),
    cancelJob: (id, call) => jobs.cancelJob(api, id, call),
    deleteJob: (id, call) => jobs.deleteJob(api, id, call),
    uploadFile: (upload, call) => files.uploadFile(api, upload, call),
    findFiles: (name, call) => files.findFiles(api, name, call),
    listFiles: (filter, call) => files.listFiles(api, filter, call),
    getFile: (id, call) => files.getFile(api, id, call),
    deleteFile: (id, call) => files.deleteFile(api, id, call),
    downloadFile: (id, call) => files.downloadFile(api, id, call),
    fileUrl: (id, hours, call) => files.fileUrl(api, id, hours, call),
    readOutputLine,
    close: () => api.close(),
  };
}

function checkedBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`the base URL must begin with https:// or http://, not be ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('the base URL may have a path, but no user name, password, query or fragment');
  }
  return url;
}

/** A header takes visible ASCII only; a key pasted with a line end would fail at every call. */
function checkedKey(key: string | null): string | null {
  if (key === null || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new TypeError('the API key has a blank, a line end or another character that no key has');
}
