import { ApiError, validationError } from '../errors.js';
import { isFields, tryParseJson } from '../json.js';
import type { Fields } from '../json.js';
import { booleanParam, choiceParam, dateParam, last, listParam } from '../query.js';
import type { Query } from '../query.js';
import { JOB_STATUSES } from './timeline.js';

export interface JobFilter {
  readonly model: string | null;
  readonly agentId: string | null;
  readonly statuses: readonly string[] | null;
  readonly createdAfter: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly newestFirst: boolean;
}

const DECLARED = [
  'page',
  'page_size',
  'model',
  'agent_id',
  'metadata',
  'created_after',
  'created_by_me',
  'status',
  'order_by',
];

/** The metadata parameter itself, as a JSON object, for clients that do not explode it. */
function jsonMetadata(query: Query): Record<string, string> {
  const text = last(query, 'metadata');
  if (text === undefined) return {};
  const parsed = tryParseJson(text);
  if (isFields(parsed)) {
    return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
  }
  throw new ApiError(
    validationError([
      {
        loc: ['query', 'metadata'],
        msg: 'Input should be a valid dictionary',
        type: 'dict_type',
        input: text,
      },
    ]),
  );
}

/** Every parameter that is not declared is a metadata pair: official clients send the metadata object that way. */
export function jobFilterOf(query: Query): JobFilter {
  const exploded = [...query.keys()]
    .filter((name) => !DECLARED.includes(name))
    .map((name): [string, string] => [name, last(query, name) ?? '']);
  // Everything in a workspace is by its one key, so this filter changes nothing but is checked all the same.
  booleanParam(query, 'created_by_me', false);
  return {
    model: last(query, 'model') ?? null,
    agentId: last(query, 'agent_id') ?? null,
    statuses: listParam(query, 'status', JOB_STATUSES),
    createdAfter: dateParam(query, 'created_after'),
    metadata: { ...jsonMetadata(query), ...Object.fromEntries(exploded) },
    newestFirst: choiceParam(query, 'order_by', ['created', '-created'], '-created') === '-created',
  };
}

/** Whether a job passes the filter, by its wire form; creation time in milliseconds. */
export function passes(filter: JobFilter, job: Fields, createdAt: number): boolean {
  const metadata = isFields(job['metadata']) ? job['metadata'] : {};
  return (
    (filter.model === null || job['model'] === filter.model) &&
    (filter.agentId === null || job['agent_id'] === filter.agentId) &&
    (filter.statuses === null || filter.statuses.some((status) => status === job['status'])) &&
    (filter.createdAfter === null || createdAt > filter.createdAfter) &&
    Object.entries(filter.metadata).every(([key, value]) => metadata[key] === value)
  );
}
