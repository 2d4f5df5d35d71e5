import { digestOf, randomFrom } from '../answers/random.js';
import { isFields } from '../json.js';
import { isRouteName, ROUTE_NAMES } from '../route-names.js';
import type { RouteName } from '../route-names.js';
import type { Fault } from './fault.js';
import { FieldReader, InvalidRule } from './field-reader.js';
import { parseFault } from './parse-fault.js';

/** Which of the matching requests a rule strikes. Requests are counted from 1 since the rule was set. */
interface Occurrence {
  readonly nth: readonly number[] | null;
  readonly from: number;
  readonly count: number;
  readonly probability: number;
  /** Of the draws; null: the emulator's. */
  readonly seed: number | null;
}

/** Further conditions on a request; all given ones must hold. */
interface Conditions {
  readonly pathIncludes: string | null;
  readonly queryIncludes: string | null;
  /** Metadata pairs of the job that the request is about. */
  readonly metadata: Readonly<Record<string, string>> | null;
}

export interface Rule {
  readonly id: string;
  readonly routes: readonly RouteName[] | 'any';
  readonly occurrence: Occurrence;
  readonly conditions: Conditions;
  readonly fault: Fault;
}

/** What rules can look at. */
export interface RequestFacts {
  readonly route: RouteName;
  readonly path: string;
  readonly query: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const COUNT = { min: 1, max: 1e9, integer: true };

function parseRoutes(value: unknown): readonly RouteName[] | 'any' {
  if (value === '*') return 'any';
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const known = given.filter(isRouteName);
  if (given.length === 0 || known.length !== given.length) {
    throw new InvalidRule(
      `rule.route must be "*" or one or several of ${ROUTE_NAMES.join(', ')}; got ${JSON.stringify(value)}.`,
    );
  }
  return known;
}

function parseNth(reader: FieldReader): readonly number[] | null {
  const value = reader.value('nth');
  if (!Array.isArray(value)) {
    const single = reader.optionalNumber('nth', COUNT);
    return single === null ? null : [single];
  }
  const numbers = value.filter((item: unknown) => typeof item === 'number');
  if (numbers.length !== value.length || numbers.some((item) => !Number.isInteger(item) || item < 1)) {
    throw new InvalidRule('rule.nth must be a positive integer or a list of them.');
  }
  return numbers;
}

function parseConditions(value: unknown): Conditions {
  const reader = new FieldReader(value ?? {}, 'rule.match');
  const metadata = reader.value('metadata');
  const pairs = isFields(metadata) ? Object.entries(metadata) : [];
  const texts = pairs.flatMap(([key, item]): [string, string][] =>
    typeof item === 'string' ? [[key, item]] : [],
  );
  if (metadata !== undefined && (!isFields(metadata) || texts.length !== pairs.length)) {
    throw new InvalidRule('rule.match.metadata must be an object of strings.');
  }
  const pathIncludes = reader.string('pathIncludes', '');
  const queryIncludes = reader.string('queryIncludes', '');
  reader.finish();
  return {
    pathIncludes: pathIncludes === '' ? null : pathIncludes,
    queryIncludes: queryIncludes === '' ? null : queryIncludes,
    metadata: metadata === undefined ? null : Object.fromEntries(texts),
  };
}

/** Reads a rule: `{route, nth? | from?, count?, probability?, seed?, match?, fault}`. Throws InvalidRule. */
export function parseRule(value: unknown, id: string): Rule {
  const reader = new FieldReader(value, 'rule');
  const routes = parseRoutes(reader.value('route'));
  const rule: Rule = {
    id,
    routes,
    occurrence: {
      nth: parseNth(reader),
      from: reader.optionalNumber('from', COUNT) ?? 1,
      count: reader.optionalNumber('count', COUNT) ?? Number.POSITIVE_INFINITY,
      probability: reader.optionalNumber('probability', { min: 0, max: 1 }) ?? 1,
      seed: reader.optionalNumber('seed', { min: -SAFE, max: SAFE, integer: true }),
    },
    conditions: parseConditions(reader.value('match')),
    fault: parseFault(reader.value('fault'), routes),
  };
  reader.finish();
  return rule;
}

export function concerns(rule: Rule, request: RequestFacts): boolean {
  const { pathIncludes, queryIncludes, metadata } = rule.conditions;
  if (rule.routes !== 'any' && !rule.routes.includes(request.route)) return false;
  if (pathIncludes !== null && !request.path.includes(pathIncludes)) return false;
  if (queryIncludes !== null && !request.query.includes(queryIncludes)) return false;
  return (
    metadata === null || Object.entries(metadata).every(([key, text]) => request.metadata?.[key] === text)
  );
}

/** Whether the rule strikes the `hit`-th request (from 1) that it concerns. Draws depend on the seeds only. */
export function strikes(rule: Rule, hit: number, seed: number): boolean {
  const { nth, from, count, probability, seed: own } = rule.occurrence;
  if (nth !== null && !nth.includes(hit)) return false;
  if (hit < from || hit >= from + count) return false;
  return probability === 1 || randomFrom(digestOf(own ?? seed, 'fault', rule.id, hit)).float() < probability;
}
