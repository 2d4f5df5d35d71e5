import { LonghaulError } from './failures.js';

const KINDS = {
  text: { words: 'a text', is: (value: unknown) => typeof value === 'string' },
  truth: { words: 'true or false', is: (value: unknown) => typeof value === 'boolean' },
  number: { words: 'a number', is: (value: unknown) => typeof value === 'number' && !Number.isNaN(value) },
  object: { words: 'an object', is: isObject },
  // By what it can do: one of another realm is as good.
  signal: {
    words: 'an AbortSignal',
    is: (value: unknown) => isObject(value) && 'aborted' in value && 'throwIfAborted' in value,
  },
} as const;

export type OptionKinds = Readonly<Record<string, keyof typeof KINDS>>;

/**
 * Checks what callers in JavaScript may give: types are no guard there, and a TypeError from within says nothing.
 * Fields that are not named here are looked at by whoever reads them.
 * @throws LonghaulError InvalidInput
 */
export function assertOptions(method: string, options: unknown, kinds: OptionKinds): void {
  if (!isObject(options)) throw wrong(`the options of ${method}`, 'object', options);
  for (const [name, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) assertKind(name, value, kind);
  }
}

export function assertKind(name: string, value: unknown, kind: keyof typeof KINDS): void {
  if (!KINDS[kind].is(value)) throw wrong(name, kind, value);
}

function wrong(name: string, kind: keyof typeof KINDS, value: unknown): LonghaulError {
  const found = value === null || Number.isNaN(value) ? String(value) : `of type ${typeof value}`;
  return new LonghaulError('InvalidInput', `${name} must be ${KINDS[kind].words}; this is ${found}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
