import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatRows, EmulatorClient } from '../activity/emulator-support.js';
import { CHAT, CliFolder, failureOf, MAIN } from './cli-support.js';

/*
 * Whatever is wrong with a call or an input is found before anything is started, let alone sent.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let cli: CliFolder;
beforeAll(async () => {
  cli = await CliFolder.create();
});
afterAll(() => cli.remove());

/** What `run` says of a mistake, having started nothing. */
async function refusedRun(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli.run('run', ...args);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/\n\s+at |starting/);
  expect(code, stderr).toBe(2);
  await expect(access(join(cli.home, 'supervisor.log'))).rejects.toThrow();
  expect(await cli.journal()).toEqual([]);
  return stderr;
}

describe('npx', () => {
  it('runs the program of a checkout without building it again, also for the first time', async () => {
    const mark = join(ROOT, 'dist/.build-mark');
    const before = await stat(mark);
    const cache = join(cli.folder, 'npm-cache');
    const { stdout } = await promisify(execFile)('npx', ['--cache', cache, 'longhaul', '--help'], {
      cwd: ROOT,
    });
    expect(stdout).toMatch(/^Usage: longhaul/);
    expect((await stat(mark)).ino).toBe(before.ino);
  });
});

/** Files that this user may not read. Root may read all but what the kernel itself keeps for writing. */
async function unreadable(): Promise<string[]> {
  if (process.getuid?.() === 0) return ['/sys/bus/platform/drivers_probe'];
  const path = await cli.input('secret.jsonl', 2);
  await chmod(path, 0o200);
  return [path];
}

describe('run refuses at once', () => {
  it('an input that can’t be read', async () => {
    await mkdir(join(cli.folder, 'folder'));
    await cli.write('empty.jsonl', '');
    expect(await refusedRun('nope.jsonl', ...CHAT)).toContain('nope.jsonl: it does not exist');
    expect(await refusedRun('folder', ...CHAT)).toContain('folder: it is a directory');
    expect(await refusedRun('empty.jsonl', ...CHAT)).toContain('empty.jsonl: it is empty');
    expect(await refusedRun('file://host/x', ...CHAT)).toContain('a file URI has no host');
    for (const path of await unreadable()) {
      const reason = `${path}: permission is denied; give this user read rights`;
      expect(await refusedRun(path, ...CHAT)).toContain(reason);
      expect((await cli.run('validate', path, ...CHAT)).stderr).toContain(reason);
    }
    expect(await refusedRun('-', ...CHAT)).toContain('stdin: it is empty');
    await cli.write('plain.jsonl.gz', '{"body":{}}\n');
    expect(await refusedRun('plain.jsonl.gz', ...CHAT)).toContain('it is not a gzip file');
  });

  it('an input of blank lines, and says what a row looks like', async () => {
    const blank = '\uFEFF\n \r\n\n';
    await cli.write('blank.jsonl', blank);
    await cli.write('blank.jsonl.gz', gzipSync(blank));
    for (const name of ['blank.jsonl', 'blank.jsonl.gz']) {
      const said = await refusedRun(name, ...CHAT);
      expect(said).toContain(`${name} has no rows: every line is blank. Write one JSON object per line`);
      expect(said).toContain('"custom_id"');
    }
    const piped = await cli.start(['run', '-', ...CHAT], { stdin: blank }).ended;
    expect([piped.code, piped.stderr]).toEqual([2, expect.stringContaining('stdin has no rows')]);
    const schedule = ['schedule', 'create', 's', '--every', '1h', 'blank.jsonl', ...CHAT];
    expect(await cli.run(...schedule)).toMatchObject({ code: 2 });
    await expect(access(join(cli.home, 'supervisor.log'))).rejects.toThrow();
  });

  it('settings that can’t be meant', async () => {
    const input = await cli.input('some.jsonl', 2);
    expect(await refusedRun(input, '--endpoint', '/v1/chat', '--model', 'm')).toContain(
      '/v1/chat/completions',
    );
    expect(await refusedRun(input, ...CHAT, '--provider', 'nobody')).toContain('Known providers: mistral');
    expect(await refusedRun(input, ...CHAT, '--shard-rows', '2000000')).toContain('limit of 1000000');
    expect(await refusedRun(input, ...CHAT, '--output', 'none/out.jsonl')).toContain('create it first');
    expect(await refusedRun(input, ...CHAT, '--output', input)).toContain('is the input itself');
    await mkdir(join(cli.home, 'store', 'b'), { recursive: true });
    const inStore = join(cli.home, 'store', 'b', 'manifest.json');
    expect(await refusedRun(input, ...CHAT, '--output', inStore)).toContain('lies in the store');
    await rm(cli.home, { recursive: true });
    expect(await refusedRun(input, ...CHAT, '--id', 'store.json')).toContain('choose another id');
    expect(await refusedRun(input, ...CHAT, '--endpont', 'x')).toContain('Did you mean --endpoint?');
  });

  it('to go on without a key where one is needed', async () => {
    const input = await cli.input('some.jsonl', 2);
    const env = { MISTRAL_BASE_URL: 'https://api.example.org' };
    const { code, stderr } = await cli.start(['run', input, ...CHAT], { env }).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining('MISTRAL_API_KEY is not set')]);
  });

  it('an environment that is wrong, naming the variable', async () => {
    const { code, stderr } = await cli.start(['list'], { env: { LONGHAUL_CANCEL_WAIT: 'long' } }).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining('LONGHAUL_CANCEL_WAIT')]);
  });
});

describe('schedule create refuses at once', () => {
  it.each([
    [['--cron', '61 * * * *'], '"61" is no minute'],
    [['--cron', '0 2 * * *', '--timezone', 'Mars/Olympus'], 'no time zone'],
    [['--every', '1500ms'], 'whole seconds'],
  ])('%j', async (times, words) => {
    const input = await cli.input('scheduled.jsonl', 1);
    const create = ['schedule', 'create', 'never', ...times, input, ...CHAT];
    const { code, stderr } = await cli.run(...create);
    expect(stderr).toContain(words);
    expect(code, stderr).toBe(2);
    await expect(access(join(cli.home, 'supervisor.log'))).rejects.toThrow();
  });
});

describe('a failure with --json', () => {
  it('is a JSON document with `failure`, on stdout', async () => {
    const unreadable = await cli.run('run', 'nope.jsonl', ...CHAT, '--json');
    expect(unreadable.code).toBe(2);
    expect(failureOf(unreadable)).toMatchObject({ type: 'InvalidInput' });
    const typo = await cli.run('status', 'a', '--jsn', '--json');
    expect(failureOf(typo)).toMatchObject({
      type: 'Usage',
      message: expect.stringContaining('--json') as string,
    });
  });
});

describe('a pipe that nobody reads', () => {
  it('does not make a success of a failure', async () => {
    await cli.write('unread.jsonl', 'x\n');
    const unread = cli.start(['validate', 'unread.jsonl', ...CHAT, '--json']);
    unread.child.stdout?.destroy();
    const { code, stderr } = await unread.ended;
    expect(code, stderr).toBe(2);
  });
});

describe('a disk that is full', () => {
  const toFull = async (command: string): Promise<{ code: number | null; stderr: string }> => {
    const child = spawn('sh', ['-c', `exec "$0" "$1" ${command}`, process.execPath, MAIN], { stdio: 'pipe' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  };

  it('under stdout is said in one line, and is a failure', async () => {
    const { code, stderr } = await toFull('--help > /dev/full');
    expect(stderr).toMatch(/^longhaul: Can't write to stdout: .*no space left on device.*\n$/);
    expect(code).toBe(4);
  });

  it('under stderr changes nothing', async () => {
    expect((await toFull('--version 2> /dev/full')).code).toBe(0);
    expect((await toFull('status -x 2> /dev/full')).code).toBe(2);
    expect((await toFull('--help > /dev/full 2>&1')).code).toBe(4);
  });
});

describe('validate', () => {
  const row = (fields: object): string => JSON.stringify({ body: {}, ...fields });

  it('names line and reason of every kind of bad row', async () => {
    const lines: (string | Buffer)[] = [
      row({ custom_id: 'a' }),
      'not json',
      '[1]',
      row({ body: 1 }),
      '{"custom_id":"b"}',
      row({ custom_id: null }),
      row({ custom_id: 'x'.repeat(257) }),
      row({ custom_id: 'a' }),
      row({ body: { model: 'other' } }),
      row({ body: { stream: true } }),
      row({ method: 'POST', url: '/v1/x' }),
      Buffer.from([0x22, 0xff, 0x22]),
      '',
      row({}),
    ];
    await cli.write(
      'bad.jsonl',
      Buffer.concat(lines.map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\n')]))),
    );
    const { code, stdout } = await cli.run('validate', 'bad.jsonl', ...CHAT, '--json');
    expect(code).toBe(2);
    const document = JSON.parse(stdout) as { issues: { line: number; reason: string }[] };
    expect(document).toMatchObject({ valid: false, rows: 13, invalid: 11 });
    expect(document.issues.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const reasons = [
      /JSON/,
      /list/,
      /"body"/,
      /no "body"/,
      /null/,
      /256/,
      /line 1/,
      /model/,
      /stream/,
      /jq/,
      /UTF-8/,
    ];
    for (const [index, reason] of reasons.entries()) expect(document.issues[index]?.reason).toMatch(reason);
    expect(await cli.journal()).toEqual([]);
  });

  it('shows the first 20 issues, then a count', async () => {
    await cli.write('many.jsonl', 'x\n'.repeat(25));
    const { code, stderr } = await cli.run('validate', 'many.jsonl', ...CHAT);
    expect(code).toBe(2);
    expect(stderr).toContain('25 rows are not valid, of 25');
    expect(stderr.match(/^ {2}line \d+ /gm)).toHaveLength(20);
    expect(stderr).toContain('and 5 more');
  });

  it('accepts what is fine: BOM, CRLF, blank lines, no last line end, gzip, stdin', async () => {
    const text = `\uFEFF${row({ custom_id: 'a' })}\r\n\r\n  \n${row({ custom_id: 'b' })}`;
    await cli.write('fine.jsonl', text);
    await cli.write('fine.jsonl.gz', gzipSync(text));
    const endpoint = ['--endpoint', '/v1/chat/completions', '--json'];
    const valid = { code: 0, stdout: '{"valid":true,"rows":2,"invalid":0,"issues":[]}\n' };
    expect(await cli.run('validate', 'fine.jsonl', ...endpoint)).toMatchObject(valid);
    expect(await cli.run('validate', 'fine.jsonl.gz', ...endpoint)).toMatchObject(valid);
    expect(await cli.start(['validate', '-', ...endpoint], { stdin: text }).ended).toMatchObject(valid);
  });

  it('without --model holds the rows to one model', async () => {
    await cli.write(
      'models.jsonl',
      [row({}), row({ body: { model: 'a' } }), row({ body: { model: 'b' } })].join('\n'),
    );
    const { stderr } = await cli.run('validate', 'models.jsonl', '--endpoint', '/v1/embeddings');
    expect(stderr).toContain('line 3 has a "body.model" other than the batch\'s model a');
    expect(stderr).toContain('1 row is not valid, of 3');
  });

  it('finds no rows in a file of blank lines', async () => {
    await cli.write('blank.jsonl', '\n \n');
    const { code, stderr } = await cli.run('validate', 'blank.jsonl', ...CHAT);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^longhaul: blank.jsonl has no rows: every line is blank. Write one JSON object/),
    ]);
    const json = await cli.run('validate', 'blank.jsonl', ...CHAT, '--json');
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([2, { valid: false, rows: 0 }]);
  });
});

describe('emulator', () => {
  it('says its base URL first, answers, and ends by SIGTERM', async () => {
    const emulator = cli.start(['emulator', '--seed', '7']);
    const [url = ''] = (await emulator.said('stdout', /\n/)).split('\n');
    expect((await fetch(`${url}/_emulator/journal`)).status).toBe(200);
    const port = new URL(url).port;
    const second = await cli.run('emulator', '--port', port);
    expect([second.code, second.stdout]).toEqual([4, '']);
    expect(second.stderr).toBe(
      `longhaul: The emulator can't listen on port ${port} of 127.0.0.1: it is taken. Give another --port; 0 takes a free one.\n`,
    );
    emulator.child.kill('SIGTERM');
    expect((await emulator.ended).code).toBe(0);
  });

  it('does as its options say', async () => {
    const flags = ['--latency', '150', '--job-seconds', '0.1', '--row-error-rate', '0.5', '--seed', '7'];
    const command = cli.start(['emulator', ...flags]);
    const [url = ''] = (await command.said('stdout', /\n/)).split('\n');
    const close = async () => {
      command.child.kill('SIGTERM');
      await command.ended;
    };
    const told = new EmulatorClient({ url, port: Number(new URL(url).port), close });
    const asked = performance.now();
    await told.ok('GET', '/v1/files');
    expect(performance.now() - asked).toBeGreaterThan(145);

    const { job, ...files } = await told.run(chatRows(20));
    // Times are whole seconds; without the option it would be two.
    expect(Number(job['completed_at']) - Number(job['created_at'])).toBeLessThan(2);
    await told.close();
    const same = await EmulatorClient.start({ rowErrorRate: 0.5, seed: 7 });
    try {
      expect(await same.run(chatRows(20))).toMatchObject(files);
      expect(job['failed_requests']).toBeGreaterThan(0);
    } finally {
      await same.close();
    }
  });

  it.each([
    ['--latency', '4000000', 'Write a number from 0 to 3600000.'],
    ['--job-seconds', '2000000000', 'Write a number from 0 to 1000000000.'],
    ['--row-error-rate', '1.5', 'Write a share from 0 to 1.'],
  ])('refuses %s %s as wrong usage', async (flag, value, advice) => {
    const { code, stdout, stderr } = await cli.run('emulator', flag, value);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${flag} `);
    expect(stderr).toContain(`argument '${value}' is invalid. ${advice}`);
  });

  it('says what is wrong with the address, and with the folder for its files', async () => {
    // An address for documentation (RFC 5737): no machine has it.
    const elsewhere = await cli.run('emulator', '--host', '192.0.2.1');
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      4,
      "longhaul: The emulator can't listen on port 0 of 192.0.2.1: this machine has no such address. Give another --host, such as 127.0.0.1.\n",
    ]);
    const TMPDIR = join(cli.folder, 'no-such-folder');
    const homeless = await cli.start(['emulator'], { env: { TMPDIR } }).ended;
    expect([homeless.code, homeless.stderr]).toEqual([
      4,
      `longhaul: The emulator keeps its files in the folder ${TMPDIR}, which does not exist. Make it, or set TMPDIR to another one.\n`,
    ]);
  });
});
