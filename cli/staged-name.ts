import { LonghaulError } from '../client/failures.js';

/** How the store names the copy of an input (`layout.stagedInput`). */
const STAGED = /\S+\/input\/source-[0-9a-f]{12}\.jsonl(?:\.gz)?(?![\w.-])/g;

/**
 * The failure of a batch whose input was copied into the store, with the input named as the caller knows it. Type and
 * remedy stay: the error is the same one.
 */
export function withInputName(error: unknown, name: string): unknown {
  if (error instanceof LonghaulError) error.message = error.message.replace(STAGED, () => name);
  return error;
}
