import { z } from 'zod';
import { parseDuration } from '../batch/duration.js';

/** A duration above zero as text: `5s`, `10m`, `24h`. */
export const durationText = z
  .string()
  .refine((value) => (parseDuration(value) ?? 0) > 0, {
    error: 'must be a duration above zero, such as "5s", "10m" or "24h"',
    abort: true,
  })
  .meta({ pattern: '^[1-9][0-9]*(ms|s|m|h|d)$' });
