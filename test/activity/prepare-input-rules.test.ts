import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Bench, failureOf } from '../support/activity-env.js';
import { BATCH, jsonl, MODEL, row, rows } from '../support/activity-inputs.js';

const GOOD = JSON.stringify(row('good'));

/** What a user reads, and that nothing was left or sent. */
async function refusal(bench: Bench, content: string | Uint8Array, more = {}, name = 'input.jsonl') {
  const uri = await bench.input(content, name);
  const failure = await failureOf(bench.prepareUri(uri, more));
  await expectNoTrace(bench);
  expect(failure.nonRetryable).toBe(true);
  return { uri, type: failure.type, message: failure.message };
}

async function expectNoTrace(bench: Bench): Promise<void> {
  expect(await bench.files()).toEqual([]);
  expect(await bench.requests()).toEqual([]);
  expect(await readdir(join(bench.dir, 'scratch')).catch(() => [])).toEqual([]);
}

describe('a row that breaks a rule', () => {
  const big = 'x'.repeat(3000);
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['is no JSON', '{"custom_id": "a", "body": {}', 'is not valid JSON'],
    ['is a list', '[1]', 'is a list, not a JSON object'],
    ['is a string', '"text"', 'is a string, not a JSON object'],
    ['is null', 'null', 'is null, not a JSON object'],
    ['has no body', '{"custom_id":"a"}', 'has no "body"'],
    ['has a body that is null', '{"body":null}', 'has a "body" that is null'],
    ['has a body that is a list', '{"body":[]}', 'has a "body" that is a list'],
    ['has an id that is null', '{"custom_id":null,"body":{}}', 'has a "custom_id" that is null'],
    ['has an id that is a number', '{"custom_id":7,"body":{}}', 'has a "custom_id" that is a number'],
    ['has an id of 257 characters', JSON.stringify(row('i'.repeat(257))), 'more than 256 characters'],
    ['has the id of an earlier row', GOOD, 'has the custom_id of line 1'],
    ['has another model', '{"body":{"model":"other"}}', `other than the batch's model ${MODEL}`],
    ['asks to stream', '{"body":{"stream":true}}', '"body.stream": true'],
    ['has the form of OpenAI', '{"method":"POST","url":"/v1/x","body":{}}', 'del(.method, .url)'],
    [
      'is longer than a shard',
      JSON.stringify(row('long', { body: { big } })),
      'bytes long, more than a shard',
    ],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'is not valid UTF-8'],
  ];

  it.each(cases)('is named with file, line and reason: one that %s', async (_, bad, reason) => {
    const bench = await Bench.start();
    const content = Buffer.concat([Buffer.from(`${GOOD}\n\n`), Buffer.from(bad), Buffer.from('\n')]);
    const { uri, type, message } = await refusal(bench, content, { shardBytes: 2000 });
    expect(type).toBe(reason.includes('line 1') ? 'DuplicateCustomId' : 'InvalidInput');
    expect(message).toContain(`${uri}: 1 row is not valid, of 2\n  line 3 `);
    expect(message).toContain(reason);
  });

  it('is counted after the first twenty', async () => {
    const bench = await Bench.start();
    const { message, type } = await refusal(bench, `${GOOD}\n`.repeat(10) + '{}\n'.repeat(30));
    const named = message.split('\n').filter((line) => line.startsWith('  line '));
    expect(type).toBe('InvalidInput');
    expect(named).toHaveLength(20);
    expect(named[0]).toMatch(/^ {2}line 2 has the custom_id of line 1/);
    expect(named[19]).toMatch(/^ {2}line 21 has no "body"/);
    expect(message).toContain('39 rows are not valid, of 40');
    expect(message).toContain('\n  and 19 more\n');
  });

  it('is never quoted', async () => {
    const bench = await Bench.start();
    const secret = 'SECRET-OF-A-ROW';
    const bad = [
      `{"custom_id":"${secret}","body":{"stream":true}}`,
      `{"${secret}": ${secret}`,
      `"${secret}"`,
    ];
    const { message } = await refusal(bench, `${bad.join('\n')}\n`);
    expect(message).not.toContain(secret);
  });
});

describe('an input that can not be read', () => {
  it('may be empty', async () => {
    const bench = await Bench.start();
    const { type, message, uri } = await refusal(bench, '');
    expect(type).toBe('InvalidInput');
    expect(message).toBe(`${uri} is empty`);
  });

  it('may have blank lines only', async () => {
    const bench = await Bench.start();
    const { type, message } = await refusal(bench, '\uFEFF\n \r\n\t\n');
    expect(type).toBe('InvalidInput');
    expect(message).toContain('has no rows: every line is blank');
  });

  it('may not exist', async () => {
    const bench = await Bench.start();
    const uri = pathToFileURL(join(bench.dir, 'nowhere.jsonl')).href;
    const failure = await failureOf(bench.prepareUri(uri));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain(`${uri}: it does not exist`);
    await expectNoTrace(bench);
  });

  it('may be a directory', async () => {
    const bench = await Bench.start();
    await mkdir(join(bench.dir, 'folder'));
    const uri = pathToFileURL(join(bench.dir, 'folder')).href;
    const failure = await failureOf(bench.prepareUri(uri));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain('it is a directory');
    await expectNoTrace(bench);
  });

  it('may be a circle of links', async () => {
    const bench = await Bench.start();
    await symlink('input.jsonl', join(bench.dir, 'input.jsonl'));
    const failure = await failureOf(bench.prepareUri(pathToFileURL(join(bench.dir, 'input.jsonl')).href));
    expect(failure.type).toBe('InvalidInput');
    await expectNoTrace(bench);
  });

  it('may lie where workers must not read', async () => {
    const bench = await Bench.start({ deps: { fileRoots: () => Promise.resolve([]) } });
    const { type, message } = await refusal(bench, rows(1));
    expect(type).toBe('InputNotAllowed');
    expect(message).toContain('LONGHAUL_FILE_ROOTS');
  });

  it('may be half a .gz file', async () => {
    const bench = await Bench.start();
    const { type, message } = await refusal(bench, Buffer.from('1f8b0800', 'hex'), {}, 'input.jsonl.gz');
    expect(type).toBe('InvalidInput');
    expect(message).toContain('is not a whole gzip file');
  });
});

describe('settings that can not work', () => {
  it.each([
    ['an unknown endpoint', { endpoint: '/v1/nothing' }, 'endpoint /v1/nothing is unknown to mistral'],
    ['no endpoint', { endpoint: undefined }, 'endpoint'],
    ['an unknown field', { endpiont: '/v1' }, 'endpiont'],
    ['too many rows per shard', { shardRows: 1_000_001 }, 'limit of 1000000'],
    ['too many bytes per shard', { shardBytes: '513MB' }, 'limit of 512000000'],
    ['a job timeout of 8 days', { jobTimeout: '192h' }, 'jobTimeout'],
    ['metadata of ours', { metadata: { longhaul_key: 'x' } }, 'longhaul_'],
  ])('are refused: %s', async (_, more, words) => {
    const bench = await Bench.start();
    const { type, message } = await refusal(bench, rows(1), more);
    expect(type).toBe('InvalidInput');
    expect(message).toContain(words);
  });

  it('are refused when the input needs more than 2,000 shards', async () => {
    const bench = await Bench.start();
    const { type, message } = await refusal(bench, rows(2001), { shardRows: 1 });
    expect(type).toBe('InputTooLarge');
    expect(message).toContain('--shard-rows');
  });
});

describe('a corrected input', () => {
  it('may keep its batch id', async () => {
    const bench = await Bench.start();
    await refusal(bench, `${GOOD}\n${GOOD}\n`);
    expect(await bench.prepare(jsonl([row('good'), row('better')]))).toMatchObject({
      rows: 2,
      resumed: false,
    });
    expect(await bench.files(BATCH)).toContain('input/plan.json');
  });
});
