import { readFile } from 'node:fs/promises';
import { LonghaulError } from '../client/failures.js';
import { messageOf } from '../dev/errors.js';
import type { Config } from '../schemas/config.js';

/** The text of `LONGHAUL_CODEC_KEYS`, or of the file that `LONGHAUL_CODEC_KEYS_FILE` names; empty for neither. */
export async function readCodecKeys({
  codecKeys,
  codecKeysFile,
}: Pick<Config, 'codecKeys' | 'codecKeysFile'>): Promise<string> {
  if (codecKeysFile === null) return codecKeys ?? '';
  try {
    const text = await readFile(codecKeysFile, 'utf8');
    // Named and empty is a mistake that would put everything into Temporal in clear.
    if (text.trim() !== '') return text;
  } catch (error) {
    throw invalid(`can't be read: ${messageOf(error)}`);
  }
  throw invalid(`is empty: ${codecKeysFile}`);
}

function invalid(problem: string): LonghaulError {
  return new LonghaulError('InvalidInput', `the file of LONGHAUL_CODEC_KEYS_FILE ${problem}`);
}
