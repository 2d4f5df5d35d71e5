import { answerBody, InvalidRowBody } from '../answers/answer-body.js';
import { digestOf, randomFrom } from '../answers/random.js';
import type { Random } from '../answers/random.js';
import { isFields, tryParseJson } from '../json.js';
import type { Fields } from '../json.js';
import { drawPermanentError, drawRetryableError, validationEnvelope } from './row-errors.js';
import type { Envelope } from './row-errors.js';

export interface RowSettings {
  readonly seed: number;
  readonly rowErrorRate: number;
  readonly permanentErrorShare: number;
  readonly endpoint: string;
  /** The job's model, used when the row's body names none. */
  readonly model: string | null;
}

/** A row's line for the output or the error file. */
export interface RenderedRow {
  readonly customId: string | null;
  /** Identity of (custom_id, body) under this seed, for counting the jobs that held it. */
  readonly key: number;
  readonly failed: boolean;
  readonly line: string;
}

/** Failure that a fault rule demands for a row; null lets the row take its course. */
export type DemandedError = (row: {
  readonly customId: string | null;
  readonly attempt: number;
  readonly index: number;
}) => Envelope | null;

const NO_DEMAND: DemandedError = () => null;

/**
 * The output line for one input line. Its answer is a pure function of (seed, custom_id, body), a failure also of how
 * many completed jobs already held the row (`attemptsOf`); never of the clock, the job or the row's place. A crashed
 * and resumed batch must get the same bytes as an undisturbed one.
 */
export function renderRow(
  text: string,
  index: number,
  settings: RowSettings,
  attemptsOf: (key: number) => number,
  demanded: DemandedError = NO_DEMAND,
): RenderedRow {
  const parsed = tryParseJson(text);
  if (!isFields(parsed) || !isFields(parsed['body'])) {
    return unreadable(text, settings.seed, parsed);
  }
  const customId = customIdOf(parsed);
  const body = parsed['body'];
  const digest = digestOf(settings.seed, customId, body);
  const key = digest.readUIntLE(16, 6);
  const attempt = attemptsOf(key);

  const envelope =
    demanded({ customId, attempt, index }) ??
    drawnFailure(settings, digest, attempt) ??
    answer(settings, body, digest);
  const failed =
    envelope.error !== null || envelope.response === null || envelope.response.status_code >= 400;
  const idDigest = failed ? digestOf(digest.toString('hex'), 'id', attempt) : digest;
  return { customId, key, failed, line: outputLine(randomFrom(idDigest), customId, envelope) };
}

function customIdOf(row: Fields): string | null {
  return typeof row['custom_id'] === 'string' ? row['custom_id'] : null;
}

function drawnFailure(settings: RowSettings, digest: Buffer, attempt: number): Envelope | null {
  if (settings.rowErrorRate === 0) return null;
  const row = digest.toString('hex');
  const permanentRate = settings.rowErrorRate * settings.permanentErrorShare;
  const permanent = randomFrom(digestOf(row, 'permanent'));
  if (permanent.float() < permanentRate) return drawPermanentError(permanent);
  // Of the rows that do not fail for good, so many fail in this attempt that both together make the rate.
  const passing = randomFrom(digestOf(row, 'attempt', attempt));
  const passingRate = (settings.rowErrorRate - permanentRate) / (1 - permanentRate);
  return passing.float() < passingRate ? drawRetryableError(passing) : null;
}

function answer(settings: RowSettings, body: Fields, digest: Buffer): Envelope {
  // The digest's second half: its first half already makes the line's id.
  const random = randomFrom(digest.subarray(16));
  try {
    const answered = answerBody({ endpoint: settings.endpoint, model: settings.model, body, random });
    return { response: { status_code: 200, body: answered }, error: null };
  } catch (error) {
    if (!(error instanceof InvalidRowBody)) throw error;
    return validationEnvelope(error.loc, error.message, error.type);
  }
}

function unreadable(text: string, seed: number, parsed: unknown): RenderedRow {
  const digest = digestOf(seed, text);
  const customId = isFields(parsed) ? customIdOf(parsed) : null;
  const reason = isFields(parsed) ? 'body: Field required' : 'Line is not a JSON object';
  const envelope: Envelope = { response: null, error: { code: 'invalid_request', message: reason } };
  return {
    customId,
    key: digest.readUIntLE(16, 6),
    failed: true,
    line: outputLine(randomFrom(digest), customId, envelope),
  };
}

/** `batch-<8 hex>-<n>-<uuid>`: the number is not the row's place in the real API either. */
function outputLine(random: Random, customId: string | null, envelope: Envelope): string {
  const id = `batch-${random.hex(8)}-${1 + random.int(1000)}-${random.uuid()}`;
  return JSON.stringify({ id, custom_id: customId, response: envelope.response, error: envelope.error });
}
