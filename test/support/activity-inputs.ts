import type {
  AssembleInput,
  BeginRoundInput,
  CollectInput,
  CreateJobInput,
  OpenRound,
} from '../../activities/contract.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { NO_ROWS } from '../../batch/rows.js';

export const BATCH = 'b1';
export const API_KEY = 'key-that-must-never-show';
export const MODEL = 'mistral-small-latest';
export const ENDPOINT = '/v1/chat/completions';
export type Wire = Readonly<Record<string, unknown>>;

export function beginInput(more: Partial<BeginRoundInput> = {}): BeginRoundInput {
  const round = more.round ?? 1;
  return {
    shard: 0,
    round,
    mode: { kind: 'normal', rebuyLost: false, finalFrom: round },
    mayBegin: true,
    ...more,
  };
}

export function createInput(more: Partial<CreateJobInput> & { key: string }): CreateJobInput {
  return {
    shard: 0,
    round: 1,
    fileId: '22222222-2222-4222-8222-222222222222',
    endpoint: ENDPOINT,
    model: MODEL,
    jobTimeoutHours: 24,
    metadata: {},
    run: 'run-1',
    ...more,
  };
}

export function collectInput(
  open: Pick<OpenRound, 'takes'>,
  job: JobSnapshot,
  more: Partial<CollectInput> = {},
): CollectInput {
  return {
    shard: 0,
    round: 1,
    job,
    deleted: false,
    deadlinePassed: false,
    takes: open.takes,
    duplicates: [],
    ...more,
  };
}

export function assembleInput(more: Partial<AssembleInput> = {}): AssembleInput {
  return {
    generation: 1,
    startedAt: '2026-11-22T12:00:00.000Z',
    inputUri: 'file:///input.jsonl',
    cancelled: false,
    failure: null,
    counted: NO_ROWS,
    whole: false,
    unanswered: 'missing',
    unansweredShards: [],
    openJobs: [],
    duplicates: [],
    ...more,
  };
}

export function wire(value: unknown): Wire {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`not an object: ${JSON.stringify(value)}`);
  }
  return Object.fromEntries(Object.entries(value));
}

export function wiresIn(value: unknown, field: string): readonly Wire[] {
  const list = wire(value)[field];
  if (!Array.isArray(list)) throw new Error(`no list of ${field}`);
  return list.map(wire);
}

export function jsonLines(text: string): readonly Wire[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => wire(JSON.parse(line)));
}

export function row(customId: string | null, more: Wire = {}): Wire {
  const body = { messages: [{ role: 'user', content: `What of ${customId ?? 'it'}?` }] };
  return { ...(customId === null ? {} : { custom_id: customId }), body, ...more };
}

export function jsonl(rows: readonly unknown[]): string {
  return rows.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** `count` rows `r0`, `r1`, … */
export function rows(count: number, prefix = 'r'): string {
  return jsonl(Array.from({ length: count }, (_, index) => row(`${prefix}${index}`)));
}
