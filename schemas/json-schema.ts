import { z } from 'zod';
import { manifestSchema } from './manifest.js';
import { errorLineSchema, resultLineSchema } from './result-line.js';
import { runBatchInputSchema } from './run-batch-input.js';

/**
 * The contracts with programs in other languages, by their file under `docs/schema/`. What callers write is
 * described as input (defaults may be left out), what Longhaul writes as output.
 */
export function schemaDocuments(): Readonly<Record<string, unknown>> {
  return {
    'run-batch.input.json': toDocument(runBatchInputSchema, 'input'),
    'manifest.json': toDocument(manifestSchema, 'output'),
    'result-line.json': toDocument(resultLineSchema, 'output'),
    'error-line.json': toDocument(errorLineSchema, 'output'),
  };
}

function toDocument(schema: z.ZodType, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(schema, { io, override: ({ jsonSchema }) => dropNoise(jsonSchema) });
}

/** What a reader does not need: the limits of JavaScript's integers, and calendars as regular expressions. */
function dropNoise(node: z.core.JSONSchema.BaseSchema): void {
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.format === 'date-time') delete node.pattern;
}
