import { z } from 'zod';
import { ROW_ERROR_TYPES } from '../batch/rows.js';

const status = z.int().min(100).max(599);

const resultErrorSchema = z.object({
  type: z.enum(ROW_ERROR_TYPES).meta({ description: 'Why the row has no success.' }),
  message: z.string().meta({ description: 'The same in words.' }),
  status_code: status.exactOptional().meta({ description: 'HTTP status, when the provider gave one.' }),
});

const shape = {
  custom_id: z.string().nullable().meta({ description: 'As in the input; null when the row had none.' }),
  response: z
    .object({
      status_code: status.meta({ description: 'HTTP status of the row.' }),
      body: z.unknown().meta({ description: 'The provider’s answer, byte for byte.' }),
    })
    .nullable()
    .meta({ description: 'The provider’s answer, kept for failed rows too; null when it gave none.' }),
  error: resultErrorSchema.nullable().meta({ description: 'Null if and only if the row succeeded.' }),
  round: z.int().min(0).meta({ description: 'Round that gave this result; 0: the row was never sent.' }),
};

/** A line of `results.jsonl`: one per row, in input order. */
export const resultLineSchema = z
  .object(shape)
  .refine((line) => line.error !== null || line.response !== null, {
    error: 'has neither a response nor an error',
  })
  .refine((line) => (line.error?.type === 'invalid_row' ? line.round === 0 : true), {
    error: 'is an invalid row, which is never sent, so its round must be 0',
  })
  .meta({ title: 'Line of results.jsonl' });

/** A line of `errors.jsonl`: a result line with an error, and where the row stands in the input. */
export const errorLineSchema = z
  .object({
    ...shape,
    error: resultErrorSchema,
    line: z.int().min(1).meta({ description: '1-based line of the row in the input.' }),
  })
  .meta({ title: 'Line of errors.jsonl' });

export type ResultLine = z.output<typeof resultLineSchema>;
export type ErrorLine = z.output<typeof errorLineSchema>;
