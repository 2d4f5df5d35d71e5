import type { z } from 'zod';

/** One thing that is wrong with a document: where, what, and what to do, in words for people. */
export interface Problem {
  /** `metadata.team`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/**
 * zod's findings in plain words. Parse with `reportInput: true`, so that missing and wrong can be told apart.
 * `knownKeys` are the fields of an object by its path, for "did you mean".
 */
export function problemsOf(
  error: z.ZodError,
  knownKeys: (path: string) => readonly string[] = () => [],
): readonly Problem[] {
  return error.issues.flatMap((issue) => {
    const path = pathOf(issue);
    if (issue.code !== 'unrecognized_keys') return [{ path, message: wordsFor(issue) }];
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: unknownKey(key, knownKeys(path)),
    }));
  });
}

/** `path: message` lines, as they stand in an error's message. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ');
}

function pathOf(issue: Issue): string {
  return issue.path.map(String).join('.');
}

function wordsFor(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `is missing: it must be ${named(issue.expected)}`;
      return `must be ${named(issue.expected)}, not ${named(kindOf(issue.input))}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_key':
      return `as a key ${issue.issues.map((inner) => inner.message).join('; ')}`;
    default:
      return issue.message;
  }
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'a list'],
  ['string', 'a text'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['null', 'null'],
]);

function named(type: string): string {
  return NAMES.get(type) ?? `a ${type}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'broken number';
  return Array.isArray(value) ? 'array' : typeof value;
}

function unknownKey(key: string, known: readonly string[]): string {
  const similar = known.find((name) => isSimilar(name, key));
  if (similar !== undefined) return `is not known here: did you mean ${JSON.stringify(similar)}?`;
  const list = known.length === 0 ? '' : `; known are ${known.join(', ')}`;
  return `is not known here${list}`;
}

/** `job_timeout`, `JobTimeout` and a slip of one or two letters. */
function isSimilar(name: string, key: string): boolean {
  const [a, b] = [name, key].map((text) => text.toLowerCase().replace(/[^a-z0-9]/g, ''));
  return a !== undefined && b !== undefined && editDistance(a, b) <= (a.length < 6 ? 1 : 2);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
