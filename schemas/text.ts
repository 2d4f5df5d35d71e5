import { z } from 'zod';
import { characterCount } from '../batch/characters.js';

/**
 * Text of a length in characters, that is code points: what the provider counts, and what `minLength` and
 * `maxLength` of JSON Schema mean. zod's own `min` and `max` count UTF-16 units, so an emoji would be two.
 */
export function text(min: number, max: number) {
  return z
    .string()
    .refine((value) => isWithin(value, min, max), { error: `must have ${min} to ${max} characters` })
    .meta({ minLength: min, maxLength: max });
}

function isWithin(value: string, min: number, max: number): boolean {
  // A character has one or two units: most values are decided without counting.
  if (value.length < min || value.length > 2 * max) return false;
  if (value.length <= max && value.length >= 2 * min) return true;
  const characters = characterCount(value);
  return characters >= min && characters <= max;
}
