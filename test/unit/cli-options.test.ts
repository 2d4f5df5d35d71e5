import { CommanderError } from 'commander';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../cli/errors.js';
import {
  batchIdArgument,
  durationOption,
  integerOption,
  newBatchIdOption,
  newScheduleIdArgument,
  pairOption,
  portOption,
  positiveIntegerOption,
  shareOption,
  sizeOption,
  timeOption,
} from '../../cli/options.js';
import { checkBatchOptions } from '../../cli/run-options.js';
import type { BatchCommandOptions } from '../../cli/run-options.js';

function refuses(parse: (text: string) => unknown, ...texts: string[]): void {
  for (const text of texts) expect(() => parse(text), text).toThrow(CommanderError);
}

describe('options', () => {
  it('takes durations and sizes as they are written everywhere', () => {
    for (const text of ['500ms', '5s', '10m', '24h', '7d']) expect(durationOption(text)).toBe(text);
    for (const text of ['512MB', '1GiB', '1024']) expect(sizeOption(text)).toBe(text);
    refuses(durationOption, '5', '0s', '-5s', '1.5h', 'soon', '');
    expect(() => durationOption('0s')).toThrow('above zero');
    refuses(sizeOption, '0', '1 GB', '-1', 'big', '');
  });

  it('takes numbers in their ranges only', () => {
    expect([positiveIntegerOption('7'), integerOption('-3'), portOption('0'), shareOption('0.05')]).toEqual([
      7, -3, 0, 0.05,
    ]);
    refuses(positiveIntegerOption, '0', '-1', '1.5', '1e3', 'x', '');
    refuses(integerOption, '1.5', 'x', '');
    refuses(portOption, '65536', '-1', 'http');
    refuses(shareOption, '1.01', '-0.1', '5%');
  });

  it('takes times in ISO 8601 and nothing that JavaScript would guess', () => {
    expect(timeOption('2026-11-22T12:00:00Z').toISOString()).toBe('2026-11-22T12:00:00.000Z');
    refuses(timeOption, 'yesterday', '12', '2026-13-01', '');
  });

  it('refuses a batch id with what would do', () => {
    expect(newBatchIdOption('s1-2026-11-22T12:00:00Z')).toBe('s1-2026-11-22T12:00:00Z');
    expect(() => newBatchIdOption('my batch')).toThrow('"my-batch" would do');
    refuses(newBatchIdOption, '', '-x', 'a/b');
    expect(() => newScheduleIdArgument('my schedule')).toThrow('a schedule id has');
  });

  it('refuses to look for a batch whose id can’t be one', () => {
    expect(batchIdArgument('s1-2026-11-22T12:00:00Z')).toBe('s1-2026-11-22T12:00:00Z');
    expect(() => batchIdArgument('é')).toThrow('longhaul list');
    refuses(batchIdArgument, '', '-x', 'a/b', 'x'.repeat(201));
  });

  it('collects pairs; only the first "=" divides', () => {
    const key = fc.stringMatching(/^[^=]+$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key, fc.string({ minLength: 1 })), { selector: ([k]) => k }),
        (pairs) => {
          const collected = pairs.reduce<Readonly<Record<string, string>>>(
            (known, [name, value]) => pairOption(`${name}=${value}`, known),
            {},
          );
          expect(new Map(Object.entries(collected))).toEqual(new Map(pairs));
        },
      ),
    );
    refuses((text) => pairOption(text), 'key', '=value', 'key=', '');
    expect(() => pairOption('key=')).toThrow('The value is empty');
    expect(() => pairOption('a=2', { a: '1' })).toThrow('given twice');
  });
});

const OPTIONS: BatchCommandOptions = {
  endpoint: '/v1/chat/completions',
  model: 'm',
  provider: 'mistral',
  jobTimeout: '24h',
  maxRounds: 3,
  maxJobs: 4,
  pollMin: '5s',
  pollMax: '10m',
  onInvalid: 'fail',
  cleanup: 'none',
};

describe('options of a batch', () => {
  it('become the settings of the workflow’s input', () => {
    const { batch } = checkBatchOptions({
      ...OPTIONS,
      shardBytes: '1MB',
      metadata: { team: 'a' },
      retry: true,
    });
    expect(batch).toMatchObject({ model: 'm', shardBytes: '1MB', metadata: { team: 'a' }, retry: true });
    expect(Object.keys(batch)).not.toContain('deadline');
  });

  it('are checked by the schema’s rules, in the words of the command line', () => {
    const check = (options: Partial<BatchCommandOptions>) => () =>
      checkBatchOptions({ ...OPTIONS, ...options });
    expect(check({ pollMin: '1h', pollMax: '1m' })).toThrow('--poll-min must not be longer than --poll-max');
    expect(check({ jobTimeout: '90m' })).toThrow('--job-timeout must be whole hours');
    expect(check({ metadata: { longhaul_key: 'x' } })).toThrow('--metadata longhaul_key');
    expect(check({ maxJobs: 501 })).toThrow('--max-jobs must be at most 500');
    expect(check({ endpoint: 'chat' })).toThrow(CliError);
  });

  it('can’t do without endpoint and model', () => {
    const { endpoint: _endpoint, ...withoutEndpoint } = OPTIONS;
    const { model: _model, ...withoutModel } = OPTIONS;
    expect(() => checkBatchOptions(withoutEndpoint)).toThrow("required option '--endpoint' is missing");
    expect(() => checkBatchOptions(withoutModel)).toThrow("required option '--model' is missing");
  });
});
