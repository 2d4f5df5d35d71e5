import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cacheFolder } from '../../dev/binary-cache.js';
import { MissingBinaryError } from '../../dev/errors.js';
import { collectLate } from '../../dev/go-install.js';
import { TEMPORAL_SDK_VERSION, parseDownloadInfo } from '../../dev/temporal-download.js';
import { findTemporalCli } from '../../dev/temporal-cli.js';
import { findTestServer } from '../../dev/test-server.js';
import { findClusterServer, findSqlTool } from '../../dev/cluster-server.js';
import { findToxiproxy } from '../../dev/toxiproxy.js';

let folder: string;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-find-'));
  lines = [];
  vi.stubGlobal('fetch', () => Promise.reject(new Error('no network here')));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true, force: true });
});

const GOOD_CLI = 'echo "temporal version 9.9.9 (Server 9.9.9)"';
/** Without what debuggers alone read. */
const LEAN = '-gcflags=all=-dwarf=false -ldflags=-s -w';
const TAGS = '-tags=disable_grpc_modules';
const platform = `${process.platform}-${process.arch}`;

async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\nPATH=$PATH:/bin:/usr/bin\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** PATH holds the fakes alone: a `temporal` or `go` of this machine must not decide a test. */
function options(env: NodeJS.ProcessEnv = {}): Parameters<typeof findTemporalCli>[0] {
  return {
    env: { PATH: `${folder}/bin`, LONGHAUL_CACHE: `${folder}/cache`, ...env },
    onProgress: (line) => void lines.push(line),
  };
}

it('prefers the variable, then PATH, then the cache', async () => {
  const named = await script(`${folder}/named/my-temporal`, GOOD_CLI);
  const onPath = await script(`${folder}/bin/temporal`, GOOD_CLI);
  const cached = await script(`${folder}/cache/temporal-cli/1.5.1-${platform}/temporal`, GOOD_CLI);
  expect(await findTemporalCli(options({ TEMPORAL_CLI_PATH: named }))).toBe(named);
  expect(await findTemporalCli(options())).toBe(onPath);
  await rm(onPath);
  expect(await findTemporalCli(options())).toBe(cached);
});

it('refuses a variable that names no working binary instead of using another one', async () => {
  await script(`${folder}/bin/temporal`, GOOD_CLI);
  const broken = await script(`${folder}/named/temporal`, 'exit 3');
  for (const path of [broken, `${folder}/missing`]) {
    await expect(findTemporalCli(options({ TEMPORAL_CLI_PATH: path }))).rejects.toThrow(MissingBinaryError);
  }
});

it('passes over another program of the same name', async () => {
  await script(`${folder}/bin/temporal`, 'echo "GNU temporal 1.0"');
  const cached = await script(`${folder}/cache/temporal-cli/1.5.1-${platform}/temporal`, GOOD_CLI);
  expect(await findTemporalCli(options())).toBe(cached);
});

it('downloads what the service names for this SDK, and keeps it in the cache', async () => {
  const binary = await script(`${folder}/archive/bin/temporal-cli`, GOOD_CLI);
  execFileSync('tar', ['-czf', `${folder}/cli.tar.gz`, '-C', `${folder}/archive`, 'bin/temporal-cli']);
  await script(`${folder}/bin/tar`, 'exec /usr/bin/env -i PATH=/bin:/usr/bin tar "$@"');
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    if (url.endsWith('.tar.gz')) return new Response(await readFile(`${folder}/cli.tar.gz`));
    const info = { archiveUrl: 'https://example.org/cli.tar.gz', fileToExtract: 'bin/temporal-cli' };
    return Response.json(info);
  });
  const path = await findTemporalCli(options());
  expect(path).toBe(`${folder}/cache/temporal-cli/sdk-${TEMPORAL_SDK_VERSION}-${platform}/temporal`);
  expect(await readFile(path, 'utf8')).toBe(await readFile(binary, 'utf8'));
  expect(asked[0]).toMatch(/^https:\/\/temporal\.download\/cli\/default\?.*sdk-name=sdk-typescript/);
  expect(await findTemporalCli(options())).toBe(path);
  expect(asked).toHaveLength(2);
});

it('builds with go once for two callers, and publishes the result whole', async () => {
  await script(
    `${folder}/bin/go`,
    [
      '[ "$1" = version ] && exit 0',
      `echo "$@" >> "${folder}/builds"`,
      `echo "$GOGC $GOMEMLIMIT" > "${folder}/memory"`,
      `printf '#!/bin/sh\\necho "temporal version 1"\\n' > "$GOBIN/temporal"`,
      'chmod +x "$GOBIN/temporal"',
    ].join('\n'),
  );
  const found = await Promise.all([findTemporalCli(options()), findTemporalCli(options())]);
  const expected = `${folder}/cache/temporal-cli/1.5.1-${platform}/temporal`;
  expect(found).toEqual([expected, expected]);
  expect(await readFile(`${folder}/builds`, 'utf8')).toBe(
    `install ${LEAN} ${TAGS} github.com/temporalio/cli/cmd/temporal@v1.5.1\n`,
  );
  expect(await readFile(`${folder}/memory`, 'utf8')).toMatch(/^off \d+B\n$/);
  expect(lines.filter((line) => line.startsWith('building'))).toHaveLength(1);
  const left = (await readdir(`${folder}/cache/temporal-cli`)).filter((name) => name.includes('.tmp-'));
  expect(left).toEqual([]);
});

it('lets the Go compiler fill half of the memory at most, and whoever bounds it decides', () => {
  expect(collectLate({}, 8e9, 4)).toEqual({ GOGC: 'off', GOMEMLIMIT: '1000000000B' });
  expect(collectLate({ GOGC: '', GOMEMLIMIT: '' }, 1e9, 2)).toEqual({
    GOGC: 'off',
    GOMEMLIMIT: '250000000B',
  });
  expect(collectLate({ GOGC: '50' }, 8e9, 4)).toEqual({});
  expect(collectLate({ GOMEMLIMIT: '1GiB' }, 8e9, 4)).toEqual({});
});

/** What each program says of itself, as seen on the real ones. */
const SERVER_SAYS = 'temporal version 1.29.1';
const SQL_TOOL_SAYS = 'temporal-sql-tool version 1.29.1';
const TOXIPROXY_SAYS = 'toxiproxy-server version git';

it('gives toxiproxy, which its makers call `server`, a cache slot and a name of its own', async () => {
  await script(
    `${folder}/bin/go`,
    [
      '[ "$1" = version ] && exit 0',
      `[ "$*" = "install ${LEAN} github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0" ] || exit 1`,
      `printf '#!/bin/sh\\necho "${TOXIPROXY_SAYS}"\\n' > "$GOBIN/server"`,
      'chmod +x "$GOBIN/server"',
    ].join('\n'),
  );
  const found = await findToxiproxy(options());
  expect(found).toBe(`${folder}/cache/toxiproxy/2.5.0-${platform}/toxiproxy-server`);
  expect(execFileSync(found, ['--version'], { encoding: 'utf8' })).toBe(`${TOXIPROXY_SAYS}\n`);
});

const BUILT_BESIDES_CLI = [
  [findClusterServer, 'go.temporal.io/server/cmd/server', SERVER_SAYS, 'temporal-server'],
  [findSqlTool, 'go.temporal.io/server/cmd/tools/sql', SQL_TOOL_SAYS, 'temporal-sql-tool'],
] as const;

it.each(BUILT_BESIDES_CLI)(
  '%o builds %s of the package versions that the Temporal CLI has, in a slot that keeps the program alone',
  async (find, path, says, name) => {
    await script(
      `${folder}/bin/go`,
      [
        '[ "$1" = version ] && exit 0',
        `[ "$1 $2 $3 $4 $5 $6 $8" = "build -mod=mod ${LEAN} ${TAGS} -o ${path}" ] || exit 1`,
        `echo "$GOWORK" > "${folder}/asked"`,
        `cat go.mod >> "${folder}/asked"`,
        `printf '#!/bin/sh\\necho "${says}"\\n' > "$7"`,
        'chmod +x "$7"',
      ].join('\n'),
    );
    const found = await find(options());
    expect(found).toBe(`${folder}/cache/${name}/1.29.1-${platform}/${name}`);
    expect(execFileSync(found, ['--version'], { encoding: 'utf8' })).toBe(`${says}\n`);
    expect(await readdir(dirname(found))).toEqual([name]);
    expect((await readFile(`${folder}/asked`, 'utf8')).split('\n')).toEqual(
      expect.arrayContaining([
        'off',
        'require go.temporal.io/server v1.29.1',
        'require github.com/temporalio/cli v1.5.1',
      ]),
    );
  },
);

it('does not take the Temporal CLI for the server of a cluster', async () => {
  const cli = await script(
    `${folder}/named/temporal`,
    'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"',
  );
  await expect(findClusterServer(options({ TEMPORAL_SERVER_PATH: cli }))).rejects.toThrow(
    'TEMPORAL_SERVER_PATH',
  );
});

it('lists every option, and what was tried, when nothing worked', async () => {
  await script(`${folder}/bin/go`, '[ "$1" = version ] && exit 0\necho "no route to the proxy" >&2\nexit 1');
  const error = await findTemporalCli(options()).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(MissingBinaryError);
  for (const part of [
    'TEMPORAL_CLI_PATH',
    'on PATH',
    'temporal.download',
    'go install',
    'TEMPORAL_ADDRESS',
    'no network here',
    'no route to the proxy',
  ]) {
    expect(String(error)).toContain(part);
  }
});

it('rejects a build that does not run', async () => {
  await script(`${folder}/bin/go`, '[ "$1" = version ] && exit 0\necho broken > "$GOBIN/temporal"');
  await expect(findTemporalCli(options())).rejects.toThrow('does not run on this machine');
  expect(await readdir(`${folder}/cache/temporal-cli`)).not.toContain(`1.5.1-${platform}`);
});

it('stops when aborted, without trying the next way', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(findTemporalCli({ ...options(), signal })).rejects.toBe(reason);
});

it('wraps the Maven artifact into a script that passes its arguments on', async () => {
  await script(
    `${folder}/bin/mvn`,
    'for a in "$@"; do case "$a" in -DoutputDirectory=*) mkdir -p "${a#*=}";; esac; done',
  );
  await script(`${folder}/bin/dirname`, 'exec /usr/bin/dirname "$@"');
  await script(`${folder}/bin/java`, 'echo "Usage: --enable-time-skipping"; echo "$@"');
  const path = await findTestServer(options());
  expect(path).toBe(`${folder}/cache/temporal-test-server/maven-1.38.0-${platform}/temporal-test-server`);
  const wrapper = await readFile(path, 'utf8');
  expect(wrapper.trimEnd().split('\n')).toHaveLength(2);
  expect(wrapper).toContain('io.temporal.testserver.TestServer "$@"');
});

it('keeps its cache outside any checkout', () => {
  expect(cacheFolder({ HOME: '/home/a' })).toBe('/home/a/.cache/longhaul');
  expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: '/caches' })).toBe('/caches/longhaul');
  expect(cacheFolder({ XDG_CACHE_HOME: '/caches', LONGHAUL_CACHE: '/mine' })).toBe('/mine');
});

it('asks for the download that suits the SDK version in use', async () => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(text).toContain(`"@temporalio/worker": "${TEMPORAL_SDK_VERSION}"`);
});

it('accepts only download answers that are safe to fetch and unpack', () => {
  const good = { archiveUrl: 'https://example.org/a/temporal.tar.gz', fileToExtract: 'bin/temporal' };
  expect(parseDownloadInfo(good)).toEqual(good);
  for (const bad of [
    null,
    {},
    { ...good, archiveUrl: 'http://example.org/temporal.tar.gz' },
    { ...good, archiveUrl: 'https://example.org/temporal.rpm' },
    { ...good, archiveUrl: 7 },
    { ...good, fileToExtract: '/etc/passwd' },
    { ...good, fileToExtract: '../../temporal' },
    { ...good, fileToExtract: '--to-command=sh' },
    { ...good, fileToExtract: '.' },
  ]) {
    expect(() => parseDownloadInfo(bad)).toThrow('no usable archive');
  }
});
