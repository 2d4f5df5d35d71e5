import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endsAsEver, held, undisturbedResults, whileHeld } from '../support/network-batch.js';
import { Network, untilFailed } from '../support/network.js';
import type { Disturbance } from '../support/network-batch.js';
import { BLACK_HOLE, RESET, SLOW } from '../support/toxiproxy.js';
import type { Toxic } from '../support/toxiproxy.js';

/*
 * Faults of the network between worker and provider. Each is put on at a step that the emulator's journal shows, and
 * taken off after it was noticed: within the time-out that docs/guarantees.md states, and some time for a busy machine.
 */

const TIMEOUT_MS = 240_000;
/** A machine with other work on it. */
const SLACK_MS = 45_000;
const CALL_MS = 30_000;
const TRANSFER_MS = 60_000;
/** Of the transfer; or of the next attempt's first call, if the machine was too busy to keep the first one alive. */
const NO_ANSWER = /(?:upload|collect) \d+: .*no answer within (?:60|30) s/;

const CUT_OFF: readonly Toxic[] = [
  { type: 'limit_data', stream: 'downstream', attributes: { bytes: 3_000 } },
];

let network: Network;
let undisturbed: Buffer;
beforeAll(async () => {
  network = await Network.start();
  undisturbed = await undisturbedResults(network);
});
afterAll(() => network.stop());

const ends = (what: Disturbance): Promise<void> => endsAsEver(network, undisturbed, what);

describe.concurrent('a batch ends as ever, and nothing is sent twice, after', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['a reset of the connection', 'create-reset', RESET],
    ['a black hole', 'create-swallowed', BLACK_HOLE],
  ])('%s that takes the answer to a create', (_, name, toxics) =>
    ends({
      name,
      rules: [held('createJob', 'after')],
      trouble: async (at) => {
        await whileHeld(at, 'createJob', 'after', () => at.provider.add(...toxics));
        await untilFailed(at, /createJob \d+: .*may have been created/, SLACK_MS);
        await at.provider.heal();
      },
    }),
  );

  test('a black hole around a poll, which ends after 30 s', () =>
    ends({
      name: 'poll-swallowed',
      rules: [held('getJob', 'before')],
      trouble: async (at) => {
        await whileHeld(at, 'getJob', 'before', () => at.provider.add(...BLACK_HOLE));
        await untilFailed(at, /getJob \d+: get job: no answer within 30 s/, CALL_MS + SLACK_MS);
        await at.provider.heal();
      },
    }));

  test('a connection that is half-open, until the poll by it has ended after 30 s', () =>
    ends({
      name: 'poll-half-open',
      rules: [held('getJob', 'before')],
      trouble: async (at) => {
        await whileHeld(at, 'getJob', 'before', async () => at.provider.halfOpen());
        await untilFailed(at, /getJob \d+: get job: no answer within 30 s/, CALL_MS + SLACK_MS);
      },
    }));

  test('a half-open connection that takes the answer to a create', () =>
    ends({
      name: 'create-half-open',
      rules: [held('createJob', 'after')],
      trouble: async (at) => {
        await whileHeld(at, 'createJob', 'after', async () => at.provider.halfOpen());
        await untilFailed(at, /createJob \d+: .*may have been created/, SLACK_MS);
      },
    }));

  test('refused connections in the middle of polls', () =>
    ends({
      name: 'poll-refused',
      rules: [held('getJob', 'before')],
      trouble: async (at) => {
        await whileHeld(at, 'getJob', 'before', () => at.provider.down());
        await untilFailed(at, /getJob \d+: get job: the provider could not be reached/, SLACK_MS);
        await at.provider.up();
      },
    }));

  test('a black hole in mid-upload, which ends after 60 s without progress', () =>
    ends({
      name: 'upload-swallowed',
      rules: [{ route: 'uploadFile', nth: 1, fault: { type: 'slowUpload', bytesPerSecond: 500 } }],
      trouble: async (at) => {
        await at.site.emulator.waitFor('uploadFile');
        await at.provider.add(...BLACK_HOLE);
        await untilFailed(at, NO_ANSWER, TRANSFER_MS + SLACK_MS);
        await at.provider.heal();
      },
    }));

  test('a reset that takes the answer to an upload', () =>
    ends({
      name: 'upload-reset',
      rules: [held('uploadFile', 'after')],
      trouble: async (at) => {
        await whileHeld(at, 'uploadFile', 'after', () => at.provider.add(...RESET));
        await untilFailed(at, /upload \d+: .*the connection broke/, SLACK_MS);
        await at.provider.heal();
      },
    }));

  test('a black hole in mid-download, which ends after 60 s without progress', () =>
    ends({
      name: 'download-swallowed',
      rules: [{ route: 'fileContent', nth: 1, fault: { type: 'slowDownload', bytesPerSecond: 1_000 } }],
      trouble: async (at) => {
        await at.site.emulator.waitFor('fileContent');
        await at.provider.add(...BLACK_HOLE);
        await untilFailed(at, NO_ANSWER, TRANSFER_MS + SLACK_MS);
        await at.provider.heal();
      },
    }));

  test('a download that is cut off half-way', () =>
    ends({
      name: 'download-cut',
      rules: [held('fileContent', 'before')],
      trouble: async (at) => {
        await whileHeld(at, 'fileContent', 'before', () => at.provider.add(...CUT_OFF));
        await untilFailed(at, /collect \d+: .*(?:connection broke|download ended after)/, SLACK_MS);
        await at.provider.heal();
      },
    }));

  test('nothing worse than a slow, jittery link in small slices', () =>
    ends({
      name: 'slow',
      rules: [],
      trouble: async (at) => {
        await at.provider.add(...SLOW);
        await at.site.emulator.waitFor('fileContent', { until: 'answered' });
        const requests = await at.site.emulator.journal();
        expect(requests.filter(({ aborted }) => aborted === true)).toEqual([]);
      },
    }));
});
