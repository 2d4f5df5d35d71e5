import { ERROR_VARIANTS, fitsStatus } from '../errors.js';
import type { RouteName } from '../route-names.js';
import type { Fault, FaultType, RowSelector } from './fault.js';
import { FieldReader, InvalidRule } from './field-reader.js';

const JOB_ROUTES = ['createJob', 'getJob', 'listJobs', 'cancelJob'] as const;
const FILE_ROUTES = ['uploadFile', 'getFile', 'listFiles'] as const;
const LIST_ROUTES = ['listJobs', 'listFiles'] as const;
const DOWNLOAD_ROUTES = ['fileContent', 'signedDownload'] as const;
const WHEN = ['before', 'after'] as const;
const DAY_MS = 86_400_000;

interface Definition {
  /** Routes that a rule with this fault may name. */
  readonly routes: readonly RouteName[] | 'any';
  readonly parse: (reader: FieldReader) => Fault;
}

function rowSelector(reader: FieldReader): RowSelector {
  const customIds = reader.strings('customIds');
  const share = reader.optionalNumber('share', { min: 0, max: 1 });
  const count = reader.optionalNumber('count', { min: 0, max: 1e9, integer: true });
  return { customIds, share, count: customIds === null && share === null ? (count ?? 1) : count };
}

function retryAfter(reader: FieldReader): number | string | null {
  const value = reader.value('retryAfter');
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  return reader.optionalNumber('retryAfter', { min: 0, max: 1e9 });
}

function jobErrors(reader: FieldReader): readonly { readonly message: string; readonly count: number }[] {
  const value = reader.value('errors');
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new InvalidRule('fault.errors must be a list.');
  return value.map((item: unknown, index) => {
    const error = new FieldReader(item, `fault.errors[${index}]`);
    const parsed = {
      message: error.string('message', 'Job failed'),
      count: error.optionalNumber('count', { min: 0, max: 1e9, integer: true }) ?? 1,
    };
    error.finish();
    return parsed;
  });
}

function lag(
  reader: FieldReader,
  countName: string,
): { readonly count: number | null; readonly ms: number | null } {
  const ms = reader.optionalNumber('ms', { min: 0, max: DAY_MS });
  const count = reader.optionalNumber(countName, { min: 0, max: 1e9, integer: true });
  return { ms, count: ms === null ? (count ?? 1) : count };
}

function counters(reader: FieldReader): Readonly<Record<string, number>> {
  const names = ['total_requests', 'completed_requests', 'succeeded_requests', 'failed_requests'];
  const range = { min: -1e9, max: 1e9 };
  const given = names.flatMap((name): [string, number][] => {
    const value = reader.optionalNumber(name, range);
    return value === null ? [] : [[name, value]];
  });
  return given.length > 0 ? Object.fromEntries(given) : { succeeded_requests: 0, failed_requests: 1_000_000 };
}

const EXCHANGE: Pick<Record<FaultType, Definition>, 'latency' | 'hold' | 'status' | 'reset'> = {
  latency: {
    routes: 'any',
    parse: (r) => ({ type: 'latency', ms: r.number('ms', { min: 0, max: DAY_MS }) }),
  },
  hold: {
    routes: 'any',
    parse: (r) => ({
      type: 'hold',
      when: r.oneOf('when', WHEN, 'before'),
      ifAborted: r.oneOf('ifAborted', ['drop', 'proceed'], 'drop'),
    }),
  },
  status: {
    routes: 'any',
    parse: (r) => {
      const kind = r.oneOf('variant', ['default', ...ERROR_VARIANTS], 'default');
      const status = r.number('status', { min: 400, max: 599, integer: true });
      if (kind !== 'default' && !fitsStatus(kind, status)) {
        throw new InvalidRule(`fault.variant ${kind} is no variant of status ${status}.`);
      }
      return {
        type: 'status',
        when: r.oneOf('when', WHEN, 'before'),
        status,
        variant: kind === 'default' ? null : kind,
        retryAfter: retryAfter(r),
      };
    },
  },
  reset: { routes: 'any', parse: (r) => ({ type: 'reset', when: r.oneOf('when', WHEN, 'before') }) },
};

const ANSWER: Pick<
  Record<FaultType, Definition>,
  | 'bytesNull'
  | 'unknownStatus'
  | 'wrongCounters'
  | 'poisonedItem'
  | 'rawBody'
  | 'truncatedDownload'
  | 'gzipDownload'
  | 'slowDownload'
  | 'slowUpload'
  | 'fileListLag'
> = {
  bytesNull: { routes: FILE_ROUTES, parse: () => ({ type: 'bytesNull' }) },
  unknownStatus: {
    routes: JOB_ROUTES,
    parse: (r) => ({ type: 'unknownStatus', status: r.string('status', 'PAUSED') }),
  },
  wrongCounters: { routes: JOB_ROUTES, parse: (r) => ({ type: 'wrongCounters', counters: counters(r) }) },
  poisonedItem: {
    routes: LIST_ROUTES,
    parse: (r) => ({ type: 'poisonedItem', mode: r.oneOf('mode', ['insert', 'replace'], 'insert') }),
  },
  rawBody: {
    routes: 'any',
    parse: (r) => ({
      type: 'rawBody',
      body: r.string('body', '<html>it works</html>'),
      contentType: r.string('contentType', 'text/html'),
    }),
  },
  truncatedDownload: {
    routes: DOWNLOAD_ROUTES,
    parse: (r) => ({
      type: 'truncatedDownload',
      share: r.optionalNumber('share', { min: 0, max: 1 }) ?? 0.5,
      atLineEnd: r.boolean('atLineEnd', false),
      ending: r.oneOf('ending', ['close', 'short', 'chunked'], 'close'),
    }),
  },
  gzipDownload: { routes: DOWNLOAD_ROUTES, parse: () => ({ type: 'gzipDownload' }) },
  slowDownload: {
    routes: DOWNLOAD_ROUTES,
    parse: (r) => ({
      type: 'slowDownload',
      bytesPerSecond: r.number('bytesPerSecond', { min: 1, max: 1e12 }),
    }),
  },
  slowUpload: {
    routes: ['uploadFile'],
    parse: (r) => ({ type: 'slowUpload', bytesPerSecond: r.number('bytesPerSecond', { min: 1, max: 1e12 }) }),
  },
  fileListLag: {
    routes: ['uploadFile'],
    parse: (r) => {
      const { count, ms } = lag(r, 'calls');
      return { type: 'fileListLag', calls: count, ms };
    },
  },
};

const ON_CREATE: readonly RouteName[] = ['createJob'];

const JOB: Omit<Record<FaultType, Definition>, keyof typeof EXCHANGE | keyof typeof ANSWER> = {
  stuckQueued: { routes: ON_CREATE, parse: () => ({ type: 'stuckQueued' }) },
  jobSeconds: {
    routes: ON_CREATE,
    parse: (r) => ({
      type: 'jobSeconds',
      seconds: r.number('seconds', { min: 0, max: 1e9 }),
      queued: r.optionalNumber('queued', { min: 0, max: 1e9 }),
    }),
  },
  resultRetention: {
    routes: ON_CREATE,
    parse: (r) => ({ type: 'resultRetention', seconds: r.number('seconds', { min: 0, max: 1e9 }) }),
  },
  jobOutcome: {
    routes: ON_CREATE,
    parse: (r) => {
      const status = r.oneOf('status', ['SUCCESS', 'FAILED', 'TIMEOUT_EXCEEDED', 'CANCELLED'], 'FAILED');
      const share = r.optionalNumber('share', { min: 0, max: 1 }) ?? (status === 'SUCCESS' ? 1 : 0);
      return { type: 'jobOutcome', status, share, errors: jobErrors(r) };
    },
  },
  cancelRace: { routes: ON_CREATE, parse: () => ({ type: 'cancelRace' }) },
  missingRows: { routes: ON_CREATE, parse: (r) => ({ type: 'missingRows', rows: rowSelector(r) }) },
  duplicateRows: {
    routes: ON_CREATE,
    parse: (r) => ({ type: 'duplicateRows', rows: rowSelector(r), differing: r.boolean('differing', false) }),
  },
  unknownRows: {
    routes: ON_CREATE,
    parse: (r) => ({ type: 'unknownRows', customIds: r.strings('customIds') ?? ['nobody-sent-this'] }),
  },
  malformedLines: { routes: ON_CREATE, parse: (r) => ({ type: 'malformedLines', rows: rowSelector(r) }) },
  lineEndings: {
    routes: ON_CREATE,
    parse: (r) => ({
      type: 'lineEndings',
      crlf: r.boolean('crlf', true),
      blankLines: r.boolean('blankLines', true),
      lastLineEnd: r.boolean('lastLineEnd', true),
    }),
  },
  transient404: {
    routes: ON_CREATE,
    parse: (r) => {
      const { count, ms } = lag(r, 'times');
      return { type: 'transient404', times: count, ms };
    },
  },
  listLag: {
    routes: ON_CREATE,
    parse: (r) => {
      const { count, ms } = lag(r, 'calls');
      return { type: 'listLag', calls: count, ms };
    },
  },
  rowErrors: {
    routes: ON_CREATE,
    parse: (r) => {
      const status = r.optionalNumber('status', { min: 400, max: 599, integer: true });
      const form = r.oneOf('form', ['response', 'object', 'string', 'empty'], 'response');
      if (form === 'empty' && status !== null) {
        throw new InvalidRule(
          'fault.status means nothing to rows that say nothing: leave it out with the form empty.',
        );
      }
      return {
        type: 'rowErrors',
        rows: rowSelector(r),
        attempts: r.optionalNumber('attempts', { min: 0, max: 1e9, integer: true }),
        status: status ?? 500,
        form,
      };
    },
  },
  failuresInOutput: { routes: ON_CREATE, parse: () => ({ type: 'failuresInOutput' }) },
};

const DEFINITIONS: Readonly<Record<FaultType, Definition>> = { ...EXCHANGE, ...ANSWER, ...JOB };

/** Names of all faults, for messages. */
export const FAULT_TYPES: readonly string[] = Object.keys(DEFINITIONS);

function definitionOf(type: unknown): Definition | undefined {
  return Object.entries(DEFINITIONS).find(([name]) => name === type)?.[1];
}

/** Reads a fault and checks that it can happen on the rule's routes. Throws InvalidRule. */
export function parseFault(value: unknown, routes: readonly RouteName[] | 'any'): Fault {
  const reader = new FieldReader(value, 'fault');
  const type = reader.value('type');
  const definition = definitionOf(type);
  if (definition === undefined) {
    throw new InvalidRule(
      `fault.type must be one of ${FAULT_TYPES.join(', ')}; got ${JSON.stringify(type)}.`,
    );
  }
  const fault = definition.parse(reader);
  reader.finish();
  const allowed = definition.routes;
  if (allowed !== 'any' && (routes === 'any' || routes.some((route) => !allowed.includes(route)))) {
    throw new InvalidRule(
      `fault ${fault.type} only happens on ${allowed.join(', ')}; name one of them as route.`,
    );
  }
  return fault;
}
