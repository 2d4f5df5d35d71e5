import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/**
 * What a property is tried with before anything that is drawn: cases that once failed, and those that a person thought of.
 * Whatever a fuzz test finds is added to its file in `test/corpus/`.
 */
export function corpus<T>(name: string, schema: z.ZodType<T>): [T][] {
  const text = readFileSync(new URL(`../corpus/${name}.json`, import.meta.url), 'utf8');
  const cases: unknown = JSON.parse(text);
  return schema
    .array()
    .min(1)
    .parse(cases)
    .map((value) => [value]);
}
