import { BATCH_ENDPOINTS, isBatchEndpoint } from '../answers/answer-body.js';
import { ApiError, validationError } from '../errors.js';
import type { ValidationIssue } from '../errors.js';
import { isFields } from '../json.js';
import type { Fields } from '../json.js';

interface InlineRow {
  readonly custom_id: string | null;
  readonly body: Fields;
}

type JobInput =
  | { readonly kind: 'files'; readonly ids: readonly string[] }
  | { readonly kind: 'inline'; readonly rows: readonly InlineRow[] };

/** A create body that the documented rules allow. */
export interface CreateJobRequest {
  readonly endpoint: string;
  readonly input: JobInput;
  readonly model: string | null;
  readonly agentId: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly timeoutHours: number;
}

const MOST_INLINE_ROWS = 10_000;
const MOST_TIMEOUT_HOURS = 168;
const DEFAULT_TIMEOUT_HOURS = 24;
const MOST_KEY_LENGTH = 32;
const MOST_VALUE_LENGTH = 512;

/** Collects what is wrong with a body, so that one answer names all of it. */
class Issues {
  readonly found: ValidationIssue[] = [];

  add(loc: readonly (string | number)[], msg: string, type: string, input?: unknown): void {
    this.found.push({ loc: ['body', ...loc], msg, type, ...(input === undefined ? {} : { input }) });
  }
}

function endpointOf(body: Fields, issues: Issues): string {
  const value = body['endpoint'];
  if (isBatchEndpoint(value)) return value;
  if (value === undefined) issues.add(['endpoint'], 'Field required', 'missing');
  else issues.add(['endpoint'], `Input should be ${BATCH_ENDPOINTS.join(', ')}`, 'enum', value);
  return '';
}

function optionalText(body: Fields, name: string, issues: Issues): string | null {
  const value = body[name] ?? null;
  if (value === null || typeof value === 'string') return value;
  issues.add([name], 'Input should be a valid string', 'string_type', value);
  return null;
}

function metadataOf(body: Fields, issues: Issues): Readonly<Record<string, string>> | null {
  const value = body['metadata'] ?? null;
  if (value === null) return null;
  if (!isFields(value)) {
    issues.add(['metadata'], 'Input should be a valid dictionary', 'dict_type', value);
    return null;
  }
  const pairs: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (key.length < 1 || key.length > MOST_KEY_LENGTH) {
      issues.add(
        ['metadata', key, '[key]'],
        `String should have 1 to ${MOST_KEY_LENGTH} characters`,
        'string_length',
      );
    }
    if (typeof text !== 'string')
      issues.add(['metadata', key], 'Input should be a valid string', 'string_type', text);
    else if (text.length < 1 || text.length > MOST_VALUE_LENGTH) {
      issues.add(
        ['metadata', key],
        `String should have 1 to ${MOST_VALUE_LENGTH} characters`,
        'string_length',
      );
    } else pairs.push([key, text]);
  }
  return Object.fromEntries(pairs);
}

function timeoutOf(body: Fields, issues: Issues): number {
  const value = body['timeout_hours'] ?? DEFAULT_TIMEOUT_HOURS;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    issues.add(['timeout_hours'], 'Input should be a valid integer', 'int_type', value);
  } else if (value < 1) {
    issues.add(['timeout_hours'], 'Input should be greater than or equal to 1', 'greater_than_equal', value);
  } else if (value > MOST_TIMEOUT_HOURS) {
    issues.add(
      ['timeout_hours'],
      `Input should be less than or equal to ${MOST_TIMEOUT_HOURS}`,
      'less_than_equal',
      value,
    );
  } else return value;
  return DEFAULT_TIMEOUT_HOURS;
}

function inlineRows(value: unknown, issues: Issues): readonly InlineRow[] {
  if (!Array.isArray(value) || value.length === 0) {
    issues.add(['requests'], 'Input should be a non-empty list', 'list_type');
    return [];
  }
  if (value.length > MOST_INLINE_ROWS) {
    issues.add(
      ['requests'],
      `List should have at most ${MOST_INLINE_ROWS} items, not ${value.length}`,
      'too_long',
    );
    return [];
  }
  return value.flatMap((row: unknown, index): InlineRow[] => {
    if (!isFields(row) || !isFields(row['body'])) {
      issues.add(['requests', index, 'body'], 'Field required', 'missing');
      return [];
    }
    const customId = row['custom_id'] ?? null;
    if (customId !== null && typeof customId !== 'string') {
      issues.add(['requests', index, 'custom_id'], 'Input should be a valid string', 'string_type', customId);
      return [];
    }
    return [{ custom_id: customId, body: row['body'] }];
  });
}

function inputOf(body: Fields, issues: Issues): JobInput {
  const files = body['input_files'] ?? null;
  const requests = body['requests'] ?? null;
  if ((files === null) === (requests === null)) {
    issues.add([], 'Value error, exactly one of input_files and requests must be given', 'value_error');
    return { kind: 'files', ids: [] };
  }
  if (requests !== null) return { kind: 'inline', rows: inlineRows(requests, issues) };
  const ids = Array.isArray(files) ? files.filter((id: unknown) => typeof id === 'string') : [];
  if (!Array.isArray(files) || files.length === 0 || ids.length !== files.length) {
    issues.add(['input_files'], 'Input should be a non-empty list of UUIDs', 'list_type');
  }
  return { kind: 'files', ids };
}

/** Reads a create body. Throws the 422 that lists everything the documented rules forbid. */
export function parseCreateRequest(body: unknown): CreateJobRequest {
  const issues = new Issues();
  if (!isFields(body)) {
    issues.add([], 'Input should be a valid dictionary', 'model_attributes_type');
    throw new ApiError(validationError(issues.found));
  }
  const request: CreateJobRequest = {
    endpoint: endpointOf(body, issues),
    input: inputOf(body, issues),
    model: optionalText(body, 'model', issues),
    agentId: optionalText(body, 'agent_id', issues),
    metadata: metadataOf(body, issues),
    timeoutHours: timeoutOf(body, issues),
  };
  const rowsNameModel =
    request.input.kind === 'inline' &&
    request.input.rows.every((row) => typeof row.body['model'] === 'string');
  if (request.model === null && request.agentId === null && !rowsNameModel) {
    issues.add([], 'Value error, model or agent_id must be given', 'value_error');
  }
  if (issues.found.length > 0) throw new ApiError(validationError(issues.found));
  return request;
}
