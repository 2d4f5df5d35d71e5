import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { InvalidRule } from '../faults/field-reader.js';
import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import { jobObject } from '../jobs/job.js';
import { choiceParam, integerParam, last, queryOf } from '../query.js';
import { isRouteName } from '../route-names.js';
import { resetState } from '../state.js';
import type { EmulatorState } from '../state.js';

const DEFAULT_WAIT_MS = 30_000;
const MOST_WAIT_MS = 3_600_000;

/** `?route=` filters; `?wait=<route>&count=&until=&timeout=` answers once that many requests have come that far. */
async function readJournal(state: EmulatorState, request: FastifyRequest): Promise<Fields> {
  const query = queryOf(request.query);
  const awaited = last(query, 'wait');
  const route = awaited ?? last(query, 'route');
  if (route !== undefined && !isRouteName(route)) throw new InvalidRule(`There is no route named ${route}.`);
  const stage = choiceParam(query, 'until', ['received', 'effect', 'answered'], 'received');
  if (route === undefined) return { requests: state.journal.entries() };
  const filter = { route, stage };
  if (awaited === undefined) return { requests: state.journal.entries(filter) };
  const count = integerParam(query, 'count', 1, 1, Number.MAX_SAFE_INTEGER);
  const timeout = integerParam(query, 'timeout', DEFAULT_WAIT_MS, 0, MOST_WAIT_MS);
  const satisfied = await state.journal.waitFor(filter, count, timeout);
  return { satisfied, requests: state.journal.entries(filter) };
}

async function listAllJobs(state: EmulatorState): Promise<Fields> {
  await state.jobs.settle();
  const now = state.settings.now();
  const jobs = state.jobs.all().map((job) => ({ ...jobObject(job, now), key: job.workspace.slice(0, 8) }));
  return { jobs };
}

function release(state: EmulatorState, request: FastifyRequest): Fields {
  const route: unknown = isFields(request.body) ? request.body['route'] : undefined;
  if (route !== undefined && !isRouteName(route)) throw new InvalidRule('route must be a route name.');
  return { released: state.holds.release(route ?? null) };
}

function sendInvalid(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof InvalidRule)) throw error;
  return reply.code(400).send({ error: error.message });
}

/** The emulator's own routes. They need no key and are not in the journal. */
export function addControlRoutes(app: FastifyInstance, state: EmulatorState): void {
  app.get('/_emulator/journal', async (request, reply) =>
    readJournal(state, request).catch((error: unknown) => sendInvalid(reply, error)),
  );
  app.get('/_emulator/jobs', async () => listAllJobs(state));
  app.get('/_emulator/faults', async () => ({ rules: state.faults.list() }));
  app.post('/_emulator/faults', async (request, reply) => {
    try {
      return { rules: state.faults.add(request.body) };
    } catch (error) {
      return sendInvalid(reply, error);
    }
  });
  app.delete('/_emulator/faults', async () => {
    state.faults.clear();
    return { rules: [] };
  });
  app.delete('/_emulator/faults/:id', async (request, reply) => {
    const id: unknown = isFields(request.params) ? request.params['id'] : undefined;
    if (!state.faults.remove(String(id)))
      return sendInvalid(reply, new InvalidRule(`There is no rule ${String(id)}.`));
    return { rules: state.faults.list() };
  });
  app.post('/_emulator/release', async (request, reply) => {
    try {
      return release(state, request);
    } catch (error) {
      return sendInvalid(reply, error);
    }
  });
  app.post('/_emulator/reset', async () => {
    await resetState(state);
    return { reset: true };
  });
}
