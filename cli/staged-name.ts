import { STAGED_INPUT } from '../batch/layout.js';
import { LonghaulError } from '../client/failures.js';

const STAGED = new RegExp(String.raw`\S+${STAGED_INPUT}(?![\w.-])`, 'g');

/**
 * The failure of a batch whose input was copied into the store, with the input named as the caller knows it. Type and
 * remedy stay: the error is the same one.
 */
export function withInputName(error: unknown, name: string): unknown {
  if (error instanceof LonghaulError) error.message = error.message.replace(STAGED, () => name);
  return error;
}
