import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchFiles } from '../../client/batch-files.js';
import { BatchHandleOverTemporal } from '../../client/batch-handle.js';
import { Longhaul } from '../../client/longhaul.js';
import { TemporalSchedules } from '../../client/schedules.js';
import { lazyTemporal } from '../support/lazy-temporal.js';
import type { LazyTemporal } from '../support/lazy-temporal.js';
import { memoryStore } from '../support/memory-store.js';

const BATCH = { input: '/data/new.jsonl', endpoint: '/v1/embeddings', model: 'mistral-embed' };

let server: LazyTemporal;
beforeEach(() => {
  server = lazyTemporal();
});
afterEach(() => server.close());

/** As JavaScript calls it; what it gives back is awaited, and the first of many. */
async function call(target: object, method: string, ...args: readonly unknown[]): Promise<void> {
  const implementation: unknown = Reflect.get(target, method);
  if (typeof implementation !== 'function') throw new Error(`no method ${method}`);
  const given: unknown = await Reflect.apply(implementation, target, args);
  if (typeof given !== 'object' || given === null || !('next' in given)) return;
  if (typeof given.next === 'function') await Reflect.apply(given.next, given, []);
}

function refusal(message: string): object {
  return { name: 'LonghaulError', type: 'InvalidInput', message };
}

describe('connect refuses', () => {
  it.each([
    [null, 'the options of connect must be an object; this is null'],
    [5, 'the options of connect must be an object; this is of type number'],
    [{ store: 5 }, 'store must be a text; this is of type number'],
    [{ codecKeys: 5 }, 'codecKeys must be a text; this is of type number'],
    [{ home: 5 }, 'home must be a text; this is of type number'],
    [{ baseUrl: null }, 'baseUrl must be a text; this is null'],
    [{ address: {} }, 'address must be a text; this is of type object'],
    [{ env: 'A=1' }, 'env must be an object; this is of type string'],
  ])('%j', async (options, message) => {
    await expect(call(Longhaul, 'connect', options)).rejects.toMatchObject(refusal(message));
  });
});

describe('a client refuses', () => {
  it.each([
    ['start', undefined, 'the options of start must be an object; this is of type undefined'],
    ['start', null, 'the options of start must be an object; this is null'],
    ['start', { ...BATCH, inputName: 5 }, 'inputName must be a text; this is of type number'],
    ['start', { ...BATCH, signal: 5 }, 'signal must be an AbortSignal; this is of type number'],
    ['start', { ...BATCH, stageInput: 'yes' }, 'stageInput must be true or false; this is of type string'],
    ['list', null, 'the options of list must be an object; this is null'],
    ['list', { limit: 'all' }, 'limit must be a number; this is of type string'],
  ])('%s(%j)', async (method, options, message) => {
    const client = await Longhaul.connect({ connection: server.connection, home: '/nowhere' });
    await expect(call(client, method, options)).rejects.toMatchObject(refusal(message));
  });
});

describe('a handle refuses', () => {
  it.each([
    ['cancel', null, 'the options of cancel must be an object; this is null'],
    ['cancel', { wait: 'yes' }, 'wait must be true or false; this is of type string'],
    ['pause', null, 'the options of a request must be an object; this is null'],
    ['resume', { acknowledge: 1 }, 'acknowledge must be true or false; this is of type number'],
    ['result', null, 'the options of result must be an object; this is null'],
    ['trouble', null, 'the options of trouble must be an object; this is null'],
    ['progress', null, 'the options of progress must be an object; this is null'],
    ['progress', { intervalMs: Number.NaN }, 'intervalMs must be a number; this is NaN'],
  ])('%s(%j)', async (method, options, message) => {
    const files = new BatchFiles(memoryStore(), 'tickets');
    const handle = new BatchHandleOverTemporal({
      temporal: server.temporal,
      files,
      attached: true,
      finished: null,
    });
    await expect(call(handle, method, options)).rejects.toMatchObject(refusal(message));
  });
});

describe('schedules refuse', () => {
  it.each([
    ['create', null, 'the options of a schedule must be an object; this is null'],
    ['apply', undefined, 'the options of a schedule must be an object; this is of type undefined'],
    ['create', { ...BATCH, cron: 5 }, 'cron must be a text; this is of type number'],
    ['create', { ...BATCH, cron: '@daily', note: 5 }, 'note must be a text; this is of type number'],
    ['pause', 5, 'note must be a text; this is of type number'],
    ['resume', null, 'note must be a text; this is null'],
    ['backfill', null, 'the options of backfill must be an object; this is null'],
  ])('%s(%j)', async (method, given, message) => {
    const schedules = new TemporalSchedules(server.temporal);
    await expect(call(schedules, method, 'nightly', given)).rejects.toMatchObject(refusal(message));
  });
});
