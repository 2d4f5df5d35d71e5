import { ApiError, validationError } from './errors.js';
import { isFields } from './json.js';

/** A request's query, each parameter as the list of its values. */
export type Query = ReadonlyMap<string, readonly string[]>;

export function queryOf(value: unknown): Query {
  const entries = isFields(value) ? Object.entries(value) : [];
  return new Map(
    entries.map(([name, given]) => {
      const values: readonly unknown[] = Array.isArray(given) ? given : [given];
      return [name, values.map(String)];
    }),
  );
}

function refuse(name: string, msg: string, type: string, input: string): ApiError {
  return new ApiError(validationError([{ loc: ['query', name], msg, type, input }]));
}

export function last(query: Query, name: string): string | undefined {
  return query.get(name)?.at(-1);
}

export function integerParam(query: Query, name: string, fallback: number, min: number, max: number): number {
  const text = last(query, name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^[+-]?\d+$/u.test(text)) throw refuse(name, 'Input should be a valid integer', 'int_parsing', text);
  if (value < min)
    throw refuse(name, `Input should be greater than or equal to ${min}`, 'greater_than_equal', text);
  if (value > max)
    throw refuse(name, `Input should be less than or equal to ${max}`, 'less_than_equal', text);
  return value;
}

export function booleanParam(query: Query, name: string, fallback: boolean): boolean {
  const text = last(query, name);
  if (text === undefined) return fallback;
  if (/^(?:true|1)$/iu.test(text)) return true;
  if (/^(?:false|0)$/iu.test(text)) return false;
  throw refuse(name, 'Input should be a valid boolean', 'bool_parsing', text);
}

export function choiceParam<T extends string>(
  query: Query,
  name: string,
  allowed: readonly T[],
  fallback: NoInfer<T>,
): T {
  const text = last(query, name);
  if (text === undefined) return fallback;
  const found = allowed.find((item) => item === text);
  if (found === undefined) throw refuse(name, `Input should be ${allowed.join(', ')}`, 'enum', text);
  return found;
}

/** A repeated parameter; null if absent. `allowed` null takes any text. */
export function listParam(
  query: Query,
  name: string,
  allowed: readonly string[] | null,
): readonly string[] | null {
  const values = query.get(name);
  if (values === undefined) return null;
  const bad = allowed === null ? undefined : values.find((value) => !allowed.includes(value));
  if (bad !== undefined) throw refuse(name, `Input should be ${allowed?.join(', ')}`, 'enum', bad);
  return values;
}

export function dateParam(query: Query, name: string): number | null {
  const text = last(query, name);
  if (text === undefined) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw refuse(name, 'Input should be a valid datetime', 'datetime_parsing', text);
  return at;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

/** A path parameter that is declared a UUID. */
export function uuidParam(params: unknown, name: string): string {
  const value = isFields(params) ? params[name] : undefined;
  if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
  throw new ApiError(
    validationError([
      { loc: ['path', name], msg: 'Input should be a valid UUID', type: 'uuid_parsing', input: value },
    ]),
  );
}

export interface Page {
  readonly page: number;
  readonly pageSize: number;
}

export function pageParams(query: Query): Page {
  return {
    page: integerParam(query, 'page', 0, 0, Number.MAX_SAFE_INTEGER),
    pageSize: integerParam(query, 'page_size', 100, 1, 1000),
  };
}

export function pageOf<T>(items: readonly T[], { page, pageSize }: Page): readonly T[] {
  return items.slice(page * pageSize, (page + 1) * pageSize);
}
