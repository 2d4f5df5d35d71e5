import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdHome } from '../support/e2e-embedded.js';
import { API_KEY, E2eHome, MODEL } from '../support/e2e-home.js';
import { processesOfHome } from '../support/e2e-processes.js';
import { startProxy } from '../support/e2e-proxy.js';
import type { CannedReply, Proxy } from '../support/e2e-proxy.js';
import { questions, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';
import { homeTraces, temporalTraces } from '../support/e2e-traces.js';
import type { Trace } from '../support/e2e-traces.js';

/** In contents and custom ids of all rows, and nowhere else. */
const MARK = 'PLANTED-4711';
/** Where a provider has its codes, in the form that codes have. */
const WORD = 'PLANTED_4711';
const ROWS = questions(40, `${MARK}-question`);

let home: E2eHome;
let proxy: Proxy;
/** What the provider answers instead of the emulator, by `METHOD path`; each once. */
const canned = new Map<string, CannedReply[]>();

beforeAll(async () => {
  home = await E2eHome.create({
    emulator: { jobSeconds: 1 },
    env: { LONGHAUL_LOG_LEVEL: 'trace' },
    baseUrl: async (emulator) => {
      proxy = await startProxy(emulator.url, ({ method, path }) => {
        const route = `${method} ${path.replace(/[0-9a-f-]{36}/, ':id')}`;
        return canned.get(route)?.shift();
      });
      return proxy.url;
    },
  });
});

afterAll(async () => {
  await home.remove();
  await proxy.close();
});

/** Providers echo what they were sent: a row, its id, the key. */
function echo(status: number): CannedReply {
  const detail = [
    {
      loc: ['body'],
      msg: `Value error, ${ROWS[0]?.custom_id} refused, key ${API_KEY}`,
      type: 'value_error',
      input: ROWS[0],
    },
  ];
  const message = JSON.stringify(detail);
  return {
    status,
    body: JSON.stringify({ detail, message, type: WORD, code: API_KEY.replaceAll('-', '_') }),
  };
}

const INVALID = [
  `{"custom_id": "${MARK}-twice", "body": {"messages": []}}`,
  `{"custom_id": "${MARK}-twice", "body": {"messages": []}}`,
  `{"custom_id": "${MARK}-cut", "body": {"mess`,
  `${MARK} is no JSON`,
  `["${MARK}"]`,
  `{"custom_id": {"${MARK}": 1}, "body": {}}`,
  `{"custom_id": "${MARK}-${'x'.repeat(300)}", "body": {}}`,
  `{"custom_id": "${MARK}-no-body", "body": "${MARK}"}`,
  `{"custom_id": "${MARK}-model", "body": {"model": "${MARK}-model"}}`,
  `{"custom_id": "${MARK}-stream", "body": {"stream": true, "messages": ["${MARK}"]}}`,
  `{"custom_id": "${MARK}-form", "method": "POST", "url": "/${MARK}", "body": {}}`,
];

/** Each of these meets what could carry rows, ids or the key to where they don't belong. */
async function runEverything(): Promise<Trace[]> {
  const input = await writeRows(join(home.folder, 'rows.jsonl'), ROWS);
  const traces: Trace[] = [];
  const say = (where: string, command: { stdout: string; stderr: string }): void => {
    traces.push({ where: `stdout of ${where}`, text: command.stdout });
    traces.push({ where: `stderr of ${where}`, text: command.stderr });
  };

  canned.set('POST /v1/batch/jobs', [echo(422)]);
  canned.set('GET /v1/batch/jobs/:id', [echo(500), echo(404)]);
  canned.set('POST /v1/files', [echo(503)]);
  canned.set('GET /v1/files', [echo(500)]);
  canned.set('GET /v1/files/:id', [echo(500)]);
  canned.set('GET /v1/files/:id/content', [echo(503)]);
  canned.set('DELETE /v1/files/:id', [echo(500)]);
  await home.emulator.setFaults(
    ...[
      { type: 'rowErrors', count: 3, status: 422, form: 'object' },
      { type: 'malformedLines', customIds: [ROWS[30]?.custom_id] },
      { type: 'duplicateRows', customIds: [ROWS[31]?.custom_id], differing: true },
      { type: 'unknownRows', customIds: [`${MARK}-unknown`] },
      { type: 'missingRows', customIds: [ROWS[32]?.custom_id] },
    ].map((fault) => ({ route: 'createJob', nth: 1, fault })),
  );
  const shards = ['--shard-rows', '20', '--max-jobs', '1', '--cleanup', 'all'];
  say('run', await home.run(input, 'leaky', ...shards).exits(3));
  say('status', await home.longhaul('status', 'leaky').exits(0));
  say('list', await home.longhaul('list', '--json').exits(0));

  const invalid = join(home.folder, 'invalid.jsonl');
  await writeFile(invalid, `${INVALID.join('\n')}\n`);
  say('run of invalid rows', await home.run(invalid, 'invalid').exits(2));
  say('validate', await home.longhaul('validate', invalid, '--endpoint', '/v1/chat/completions').exits(2));

  canned.set('GET /v1/batch/jobs', [echo(401)]);
  say('run with a refused key', await home.run(input, 'refused', '--json').exits(4));

  canned.set('POST /v1/batch/jobs', [
    { status: 400, body: `<html><pre>${JSON.stringify(ROWS)}${API_KEY}</pre></html>` },
  ]);
  say('run into a gateway’s refusal', await home.run(input, 'html').exits(4));
  canned.set('POST /v1/batch/jobs', [echo(402)]);
  say('run without billing', await home.run(input, 'unpaid').exits(4));

  canned.set('POST /v1/batch/jobs/:id/cancel', [echo(500)]);
  const lasting = { type: 'jobSeconds', seconds: 3600 };
  await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: lasting });
  say('run that is left', await home.run(input, 'cancelled', '--detach').exits(0));
  say('cancel', await home.longhaul('cancel', 'cancelled', '--discard').exits(0));
  say('wait', await home.longhaul('wait', 'cancelled').exits(5));

  const errors = [{ message: `row ${JSON.stringify(ROWS[0])} of ${API_KEY} failed`, count: 40 }];
  await home.emulator.setFaults({
    route: 'createJob',
    nth: 1,
    fault: { type: 'jobOutcome', status: 'FAILED', errors },
  });
  say('run whose job fails', await home.run(input, 'failing').exits(4));
  return traces;
}

test('rows, custom ids and the key are in no history, memo, search attribute, log, state file or message', async () => {
  const traces = await runEverything();
  const session = await holdHome(home);
  const temporal = await E2eTemporal.connect(session.address, session.namespace);
  try {
    traces.push(...(await temporalTraces(temporal)));
    for (const { pid, command } of processesOfHome(home.path)) {
      traces.push({ where: `command line of ${pid}`, text: command });
    }
  } finally {
    await temporal.close();
    await session.close();
  }
  traces.push(...(await homeTraces(home.path)));

  // What is searched is really there: payloads are decoded, logs and database are read, faults were met.
  const textOf = (kind: RegExp): string =>
    traces.flatMap(({ where, text }) => (kind.test(where) ? [text] : [])).join('\n');
  for (const known of [MODEL, 'ProviderRejected', 'ProviderAuth', 'InvalidInput']) {
    expect(textOf(/^event/)).toContain(known);
  }
  // Of memo and search attributes, too: a name that only each of them has, and a value.
  for (const known of ['leaky', 'longhaulFingerprint', 'LonghaulPhase', MODEL]) {
    expect(textOf(/^description/)).toContain(known);
  }
  expect(textOf(/^temporal\.db/)).toContain(MODEL);
  expect(textOf(/^worker\.log/)).toContain('ProviderUnavailable');
  const places = traces.map(({ where }) => where);
  expect(places).toEqual(expect.arrayContaining(['worker.log', 'supervisor.log', 'temporal.db']));
  expect(places.filter((where) => where.endsWith('of leaky/shard-00001')).length).toBeGreaterThan(10);
  expect([...canned.values()].flat()).toEqual([]);
  const results = (await home.results('leaky')).toString('utf8');
  expect(results).toContain(MARK);
  expect(results).not.toContain(API_KEY);

  // What the provider said is kept for who may read the store, and for nobody else.
  const refusal = home.storePath('leaky', 'rounds/00000-1/refused-1.json');
  expect(await readFile(refusal, 'utf8')).toContain(MARK);
  expect((await stat(refusal)).mode & 0o777).toBe(0o600);

  for (const secret of [MARK, API_KEY, WORD, API_KEY.replaceAll('-', '_')]) {
    expect(traces.filter(({ text }) => text.includes(secret)).map(excerptAt(secret))).toEqual([]);
  }
});

function excerptAt(secret: string): (trace: Trace) => string {
  return ({ where, text }) => {
    const at = text.indexOf(secret);
    return `${where}: …${text.slice(Math.max(0, at - 100), at + 100)}…`;
  };
}
