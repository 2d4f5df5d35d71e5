import { z } from 'zod';
import { BATCH_ID_PATTERN } from '../batch/batch-id.js';

export const batchIdSchema = z.string().regex(new RegExp(BATCH_ID_PATTERN), {
  error: 'must have 1 to 200 letters, digits, ".", "_", ":" or "-", and begin with a letter or digit',
});
