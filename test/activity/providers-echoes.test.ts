import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../providers/errors.js';
import type { BatchProvider } from '../../providers/provider.js';
import { API_KEY, clientOf, collect, CREATE, failureOf, rawServer } from './providers-raw-server.js';

/* Providers repeat what they were sent, rows and keys included; what is thrown goes to logs and histories. */

const MARK = 'PLANTED-4711';
const upload = {
  name: 'rows.jsonl',
  bytes: 3,
  open: async function* () {
    yield Buffer.from('{}\n');
    return Promise.resolve();
  },
};

const CALLS: { readonly [call: string]: (provider: BatchProvider) => Promise<unknown> } = {
  checkAccount: (provider) => provider.checkAccount({}),
  createJob: (provider) => provider.createJob(CREATE, {}),
  getJob: (provider) => provider.getJob('j', {}),
  cancelJob: (provider) => provider.cancelJob('j', {}),
  deleteJob: (provider) => provider.deleteJob('j', {}),
  listJobs: (provider) => collect(provider.listJobs({ metadata: { longhaul_key: 'k1' } }, {})),
  uploadFile: (provider) => provider.uploadFile(upload, {}),
  findFiles: (provider) => provider.findFiles('rows.jsonl', {}),
  listFiles: (provider) => collect(provider.listFiles({}, {})),
  getFile: (provider) => provider.getFile('f', {}),
  deleteFile: (provider) => provider.deleteFile('f', {}),
  downloadFile: (provider) => provider.downloadFile('f', {}),
  fileUrl: (provider) => provider.fileUrl('f', 1, {}),
};

/** Each in every place where an answer may have words. */
const BODIES = {
  json: JSON.stringify({
    detail: [{ loc: [MARK], msg: `${MARK} ${API_KEY}`, type: MARK, input: { content: MARK } }],
    message: `${MARK} ${API_KEY}`,
    type: MARK.replace('-', '_'),
    code: API_KEY.replaceAll('-', '_'),
    object: MARK,
    id: { [MARK]: API_KEY },
    data: { [MARK]: 1 },
  }),
  page: `<html><h1>${MARK}</h1>${API_KEY}</html>`,
} as const;
/** A download takes what comes for the file; what is not there needs no deletion. */
const SUCCEEDS: { readonly [call: string]: readonly number[] } = {
  downloadFile: [200],
  deleteFile: [200, 404],
  deleteJob: [200, 404],
};
const STATUSES = [200, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503];

describe.each(Object.entries(CALLS))('what %s throws', (name, call) => {
  it.each(Object.entries(BODIES))(
    'has nothing of an answer that is %s, whatever its status',
    async (_, body) => {
      for (const status of STATUSES) {
        if (SUCCEEDS[name]?.includes(status) === true) continue;
        const server = await rawServer(({ stream }, response) => {
          stream.resume();
          response.writeHead(status, { 'x-echo': MARK }).end(body);
        });
        const error = await failureOf(call(clientOf(server)));
        expect(error).toBeInstanceOf(ProviderError);
        const shown = `${error.message}\n${inspect(error, { depth: 10 })}`;
        for (const secret of [MARK, API_KEY]) {
          expect(shown.replaceAll('_', '-'), String(status)).not.toContain(secret);
        }
      }
    },
  );
});
