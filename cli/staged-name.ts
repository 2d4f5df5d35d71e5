import { STAGED_INPUT } from '../batch/layout.js';
import { LonghaulError } from '../client/failures.js';

const STAGED = new RegExp(String.raw`\S+${STAGED_INPUT}(?![\w.-])`, 'g');

/**
 * The failure of a batch whose input was copied into the store, with the input named as the caller knows it. Type and
 * remedy stay: the error is the same one.
 */
export function withInputName(error: unknown, name: string, storeUri: string): unknown {
  if (!(error instanceof LonghaulError)) return error;
  const staged = error.message.match(STAGED);
  // Workers read whatever is in their store, so it is another one.
  if (error.type === 'InputNotAllowed' && staged !== null) return otherStore(name, storeUri);
  error.message = error.message.replace(STAGED, () => name);
  return error;
}

function otherStore(name: string, storeUri: string): LonghaulError {
  return new LonghaulError(
    'StorageMismatch',
    `${name} was copied into this command's store, ${storeUri}, and the worker has another one, where it may not read it. Set LONGHAUL_STORE to the same place for both.`,
  );
}
