import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { FaultEngine } from '../../emulator/faults/engine.js';
import { FAULT_TYPES } from '../../emulator/faults/parse-fault.js';
import { isJobFault } from '../../emulator/faults/job-edits.js';
import { resolveOptions } from '../../emulator/options.js';
import { ROUTE_NAMES } from '../../emulator/route-names.js';
import type { RouteName } from '../../emulator/route-names.js';

function strikesOf(rule: Record<string, unknown>, requests = 8, seed = 1): readonly number[] {
  const engine = new FaultEngine(seed);
  engine.add({ rules: [{ route: 'getJob', fault: { type: 'reset' }, ...rule }] });
  const hits = Array.from({ length: requests }, (_, index) => index + 1);
  return hits.filter(
    () => engine.faultsFor({ route: 'getJob', path: '/p', query: 'q=1', metadata: null }).length > 0,
  );
}

describe('a rule strikes', () => {
  test.each([
    [{}, [1, 2, 3, 4, 5, 6, 7, 8]],
    [{ nth: 3 }, [3]],
    [{ nth: [1, 4] }, [1, 4]],
    [{ from: 6 }, [6, 7, 8]],
    [{ count: 2 }, [1, 2]],
    [{ from: 3, count: 2 }, [3, 4]],
    [{ probability: 0 }, []],
    [{ match: { pathIncludes: '/p' } }, [1, 2, 3, 4, 5, 6, 7, 8]],
    [{ match: { pathIncludes: '/other' } }, []],
    [{ match: { queryIncludes: 'q=2' } }, []],
    [{ match: { metadata: { a: 'b' } } }, []],
  ])('%j', (rule, strikes) => {
    expect(strikesOf(rule)).toEqual(strikes);
  });

  test('with a probability that repeats with the seed', () => {
    const drawn = strikesOf({ probability: 0.5 }, 200);
    expect(drawn.length).toBeGreaterThan(60);
    expect(drawn.length).toBeLessThan(140);
    expect(strikesOf({ probability: 0.5 }, 200)).toEqual(drawn);
    expect(strikesOf({ probability: 0.5 }, 200, 2)).not.toEqual(drawn);
    const own = strikesOf({ probability: 0.5, seed: 3 }, 200);
    expect(own).not.toEqual(drawn);
    expect(strikesOf({ probability: 0.5, seed: 3 }, 200, 2)).toEqual(own);
  });

  test('only on its routes, and counts only those', () => {
    const engine = new FaultEngine(1);
    engine.add({ rules: [{ route: ['getJob', 'listJobs'], nth: 2, fault: { type: 'reset' } }] });
    const ask = (route: RouteName) => engine.faultsFor({ route, path: '', query: '', metadata: null }).length;
    expect([ask('getJob'), ask('createJob'), ask('listJobs'), ask('getJob')]).toEqual([0, 0, 1, 0]);
  });
});

test('one bad rule keeps all of them out', () => {
  const engine = new FaultEngine(1);
  const rules = [
    { route: '*', fault: { type: 'reset' } },
    { route: '*', fault: { type: 'nope' } },
  ];
  expect(() => engine.add({ rules })).toThrow('fault.type must be one of');
  expect(engine.list()).toEqual([]);
});

/** What a fault needs beyond its type. */
const REQUIRED: Readonly<Record<string, Record<string, unknown>>> = {
  latency: { ms: 1 },
  status: { status: 503 },
  slowDownload: { bytesPerSecond: 1 },
  slowUpload: { bytesPerSecond: 1 },
  jobSeconds: { seconds: 1 },
  resultRetention: { seconds: 1 },
};

test.each(FAULT_TYPES)('%s can be set on some route with no more than it requires', (type) => {
  const accepted = ROUTE_NAMES.filter((route) => {
    try {
      new FaultEngine(1).add({ rules: [{ route, fault: { type, ...REQUIRED[type] } }] });
      return true;
    } catch {
      return false;
    }
  });
  expect(accepted).not.toEqual([]);
});

test('the faults that only happen on createJob are those that the job keeps', () => {
  const onlyOnCreate = FAULT_TYPES.filter((type) => {
    try {
      new FaultEngine(1).add({ rules: [{ route: 'getFile', fault: { type, ...REQUIRED[type] } }] });
      return false;
    } catch (error) {
      return (
        error instanceof Error && error.message.endsWith('happens on createJob; name one of them as route.')
      );
    }
  });
  const kept = FAULT_TYPES.filter((type) => {
    const engine = new FaultEngine(1);
    try {
      engine.add({ rules: [{ route: 'createJob', fault: { type, ...REQUIRED[type] } }] });
    } catch {
      return false;
    }
    return engine.faultsFor({ route: 'createJob', path: '', query: '', metadata: null }).some(isJobFault);
  });
  expect(kept).toEqual(onlyOnCreate);
});

test.each([
  [{ port: -1 }, 'port must be an integer from 0 to 65535'],
  [{ port: 1.5 }, 'port must be an integer'],
  [{ rowErrorRate: 1.1 }, 'rowErrorRate must be a number from 0 to 1'],
  [{ latencyMs: Number.NaN }, 'latencyMs must be a number'],
  [{ jobSeconds: -0.1 }, 'jobSeconds must be a number'],
  [{ seed: 0.5 }, 'seed must be an integer'],
])('options out of range are refused by name: %j', (options, message) => {
  expect(() => resolveOptions(options)).toThrow(message);
});

test('the README names every fault and every route', async () => {
  const readme = await readFile(new URL('../../emulator/README.md', import.meta.url), 'utf8');
  expect([...FAULT_TYPES, ...ROUTE_NAMES].filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
