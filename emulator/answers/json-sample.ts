import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { Random } from './random.js';
import { drawWords } from './words.js';

const MOST_DEPTH = 6;

function numberFor(schema: Fields, random: Random, integer: boolean): number {
  const min = typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
  const max = typeof schema['maximum'] === 'number' ? schema['maximum'] : min + 100;
  const drawn = min + random.float() * (max - min);
  return integer
    ? Math.min(Math.max(Math.round(drawn), Math.ceil(min)), Math.floor(max))
    : Math.round(drawn * 100) / 100;
}

function referenced(schema: Fields, root: Fields): unknown {
  const path = typeof schema['$ref'] === 'string' ? schema['$ref'].replace(/^#\//u, '').split('/') : [];
  let target: unknown = root;
  for (const step of path) target = isFields(target) ? target[step] : undefined;
  return target;
}

/** A value that fits the common part of a JSON Schema: types, enums, properties, items, references, bounds. */
export function sampleOf(schema: unknown, random: Random, root: Fields, depth = 0): unknown {
  if (!isFields(schema) || depth > MOST_DEPTH) return null;
  if (schema['$ref'] !== undefined) return sampleOf(referenced(schema, root), random, root, depth + 1);
  if (schema['const'] !== undefined) return schema['const'];
  const choices: unknown = schema['enum'];
  if (Array.isArray(choices) && choices.length > 0) return choices[random.int(choices.length)];
  const variants: unknown = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(variants) && variants.length > 0) return sampleOf(variants[0], random, root, depth + 1);
  const type: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (type) {
    case 'string':
      return drawWords(random, 3);
    case 'integer':
      return numberFor(schema, random, true);
    case 'number':
      return numberFor(schema, random, false);
    case 'boolean':
      return random.float() < 0.5;
    case 'array': {
      const least = typeof schema['minItems'] === 'number' ? schema['minItems'] : 1;
      return Array.from({ length: Math.min(least, 10) }, () =>
        sampleOf(schema['items'], random, root, depth + 1),
      );
    }
    case 'object':
    case undefined: {
      const properties = isFields(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [name, sampleOf(part, random, root, depth + 1)]),
      );
    }
    default:
      return null;
  }
}
