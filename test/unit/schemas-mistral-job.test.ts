import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BATCH_ENDPOINTS, BATCH_JOB_STATUSES, batchJobSchema } from '../../schemas/mistral/batch-job.js';
import { createBatchJobSchema } from '../../schemas/mistral/create-batch-job.js';

/** The published schema of a batch job, its facts restated. */
const REFERENCE = {
  type: 'object',
  required: ['id', 'model', 'endpoint', 'status'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    object: { type: 'string' },
    model: { type: 'string' },
    endpoint: {
      type: 'string',
      enum: [
        '/v1/chat/completions',
        '/v1/embeddings',
        '/v1/fim/completions',
        '/v1/moderations',
        '/v1/chat/moderations',
        '/v1/ocr',
        '/v1/classifications',
        '/v1/conversations',
        '/v1/audio/transcriptions',
      ],
    },
    input_files: { type: 'array', items: { type: 'string', format: 'uuid' } },
    status: {
      type: 'string',
      enum: [
        'QUEUED',
        'RUNNING',
        'SUCCESS',
        'FAILED',
        'TIMEOUT_EXCEEDED',
        'CANCELLATION_REQUESTED',
        'CANCELLED',
      ],
    },
    created_at: { type: 'integer' },
    started_at: { type: 'integer' },
    completed_at: { type: 'integer' },
    total_requests: { type: 'integer', minimum: 0 },
    completed_requests: { type: 'integer', minimum: 0 },
    succeeded_requests: { type: 'integer', minimum: 0 },
    failed_requests: { type: 'integer', minimum: 0 },
    output_file: { type: 'string', format: 'uuid' },
    error_file: { type: 'string', format: 'uuid' },
    metadata: { type: 'object', additionalProperties: { type: 'string' } },
  },
} as const;

type Property = keyof typeof REFERENCE.properties;
type Difference = 'nullable' | 'any string' | 'open enum' | 'any value' | 'required here' | 'not empty';

const LIVE_NULL = 'the live API says null until there is a value, and the OpenAPI document allows it';
const PLAIN_ID = 'the OpenAPI document and the official clients take any string';

/** Every way in which what we read differs from the published schema, and why. */
const DIFFERENCES: Partial<Record<Property, Partial<Record<Difference, string>>>> = {
  id: { 'any string': PLAIN_ID, 'not empty': 'a job without a name can be neither polled nor collected' },
  object: { nullable: 'says nothing that is needed: neither null nor absence may cost a job' },
  model: { nullable: `${LIVE_NULL}; jobs of agents have no model` },
  endpoint: {
    'open enum': 'responses declare a plain string: a job for an endpoint to come must not be unreadable',
    nullable: 'a job is known by its metadata; nothing depends on its endpoint being repeated',
  },
  input_files: { 'any string': PLAIN_ID, nullable: 'inline jobs have no files' },
  status: {
    'open enum': 'the official clients keep unknown words too: an unknown status is polled on',
    'not empty': 'an empty word is none',
  },
  created_at: { 'required here': 'of two jobs with one key the older is kept, so its age must be known' },
  started_at: { nullable: LIVE_NULL },
  completed_at: { nullable: LIVE_NULL },
  total_requests: { nullable: 'counters are hints: null reads as 0' },
  completed_requests: { nullable: 'counters are hints: null reads as 0' },
  succeeded_requests: { nullable: 'counters are hints: null reads as 0' },
  failed_requests: { nullable: 'counters are hints: null reads as 0' },
  output_file: { 'any string': PLAIN_ID, nullable: LIVE_NULL },
  error_file: { 'any string': PLAIN_ID, nullable: LIVE_NULL },
  metadata: {
    nullable: LIVE_NULL,
    'any value': 'responses declare any value: a job of somebody else with a number in it must be readable',
  },
};

/** The published schema requires these; we don't, because a job without them can still be watched and collected. */
const NOT_REQUIRED_HERE: Readonly<Record<string, string>> = {
  model: 'null or absent for jobs of agents',
  endpoint: 'nothing depends on it',
};

/** What the live API has and the published schema lacks, and what it is read for. */
const ADDED_FOR: Readonly<Record<string, string>> = {
  agent_id: 'a job of an agent has no model: this names what ran it',
  errors: 'why a job failed, and whether for want of quota',
  outputs: 'answers of an inline job, which has no output file',
};
const ADDED = Object.keys(ADDED_FOR);

type Node = { readonly [key: string]: unknown };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function child(node: Node, key: string): Node {
  const value = node[key];
  if (!isNode(value)) throw new Error(`${key} is missing in ${JSON.stringify(node)}`);
  return value;
}

const generated: unknown = z.toJSONSchema(batchJobSchema, { io: 'input' });
if (!isNode(generated)) throw new Error('no JSON Schema was generated');
const ours = child(generated, 'properties');

/** The alternatives of a generated property, unions flattened. */
function alternatives(node: Node): Node[] {
  const { anyOf, type } = node;
  if (Array.isArray(anyOf)) return anyOf.filter(isNode).flatMap(alternatives);
  return Array.isArray(type) ? type.map((one: unknown) => ({ ...node, type: one })) : [node];
}

/** What narrows a value down beyond the reference's own terms. Whole numbers are bounded by what a number can hold. */
function narrowing(node: Node): string[] {
  const parts = [
    ...alternatives(node),
    ...alternatives(node).flatMap(({ items }) => (isNode(items) ? [items] : [])),
  ];
  const terms = parts.flatMap((part) =>
    Object.entries(part).filter(([key]) =>
      /^(?:min|max|exclusive|pattern|format|const|multiple|unique)/.test(key),
    ),
  );
  const known = [
    ['minimum', 0],
    ['minimum', Number.MIN_SAFE_INTEGER],
    ['maximum', Number.MAX_SAFE_INTEGER],
    ['format', 'uuid'],
  ];
  return terms
    .filter(([key, value]) => !known.some(([name, usual]) => name === key && usual === value))
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`);
}

/** A generated property reduced to the reference's own terms, and how it differs in addition. */
function facts(node: Node): { schema: Node; differences: Set<Difference> } {
  const differences = new Set<Difference>();
  const all = alternatives(node);
  const present = all.filter(({ type }) => type !== 'null');
  if (present.length < all.length) differences.add('nullable');
  const closed = present.find((one) => Array.isArray(one['enum'])) ?? present[0] ?? {};
  if (present.length > 1) differences.add('open enum');
  const schema: Record<string, unknown> = { type: closed['type'] };
  const narrower = narrowing(node);
  if (narrower.includes('minLength 1')) differences.add('not empty');
  const unlisted = narrower.filter((term) => term !== 'minLength 1');
  if (unlisted.length > 0) schema['narrower'] = unlisted;
  if (Array.isArray(closed['enum'])) schema['enum'] = closed['enum'];
  if (closed['minimum'] === 0) schema['minimum'] = 0;
  if (isNode(closed['items'])) schema['items'] = { type: closed['items']['type'] };
  if (closed['type'] === 'object') {
    const values = child(closed, 'additionalProperties');
    if (Object.keys(values).length === 0) differences.add('any value');
  }
  return { schema, differences };
}

/** The same reduction of a reference property: formats and value types are compared as differences. */
function expected(name: Property): { schema: Node; differences: Set<Difference> } {
  const differences = new Set<Difference>();
  const reference: Node = REFERENCE.properties[name];
  const schema: Record<string, unknown> = { type: reference['type'] };
  if (Array.isArray(reference['enum'])) schema['enum'] = reference['enum'];
  if (reference['minimum'] === 0) schema['minimum'] = 0;
  if (isNode(reference['items'])) schema['items'] = { type: reference['items']['type'] };
  const format =
    reference['format'] ?? (isNode(reference['items']) ? reference['items']['format'] : undefined);
  if (format !== undefined && !JSON.stringify(child(ours, name)).includes('"format"'))
    differences.add('any string');
  return { schema, differences };
}

describe('what we read of a batch job', () => {
  const names = Object.keys(REFERENCE.properties).filter(
    (name): name is Property => name in REFERENCE.properties,
  );

  it('has the sixteen published properties and the ones of the live API, no others', () => {
    expect(names).toHaveLength(16);
    expect(Object.keys(ours).sort()).toEqual([...names, ...ADDED].sort());
  });

  it('takes the ones of the live API as it declares them, and null where it may say null', () => {
    const [agent, errors, outputs] = ADDED.map((name) => alternatives(child(ours, name)));
    expect(agent?.map(({ type }) => type)).toEqual(['string', 'null']);
    expect(outputs?.map(({ type }) => type)).toEqual(['array', 'null']);
    expect(outputs?.[0]?.['items']).toMatchObject({ type: 'object', additionalProperties: {} });
    expect(errors?.map(({ type }) => type)).toEqual(['array', 'null']);
    const [object, ...others] = alternatives(child(errors?.[0] ?? {}, 'items'));
    expect(object?.['properties']).toMatchObject({
      message: { type: 'string' },
      count: { type: 'integer', minimum: 0, default: 1 },
    });
    expect(others.map(({ type }) => type)).toEqual(['string', 'null']);
  });

  it.each(names)('%s agrees with the published schema, but for the listed differences', (name) => {
    const mine = facts(child(ours, name));
    const theirs = expected(name);
    const schema = { ...mine.schema };
    if (name === 'endpoint') {
      // Compared as the published nine; the tenth is checked below.
      schema['enum'] = BATCH_ENDPOINTS.filter((endpoint) => endpoint !== '/v1/chat/classifications');
      expect(mine.schema['enum']).toEqual([...BATCH_ENDPOINTS]);
    }
    expect(schema).toEqual(theirs.schema);
    const found = new Set([...mine.differences, ...theirs.differences]);
    const required: unknown = generated['required'];
    const isRequired = Array.isArray(required) && required.includes(name);
    if (isRequired && !REFERENCE.required.some((one) => one === name)) found.add('required here');
    expect([...found].sort()).toEqual(Object.keys(DIFFERENCES[name] ?? {}).sort());
  });

  it('requires what the published schema requires, but for the listed differences', () => {
    const required: unknown = generated['required'];
    const missing = REFERENCE.required.filter((name) => !Array.isArray(required) || !required.includes(name));
    expect(missing.sort()).toEqual(Object.keys(NOT_REQUIRED_HERE).sort());
  });

  it('knows seven statuses, the published nine endpoints and the live tenth', () => {
    expect(BATCH_JOB_STATUSES).toEqual(REFERENCE.properties.status.enum);
    const more = BATCH_ENDPOINTS.filter(
      (one) => !REFERENCE.properties.endpoint.enum.some((two) => two === one),
    );
    expect(more).toEqual(['/v1/chat/classifications']);
  });
});

describe('sample jobs against both schemas', () => {
  const ajv = new Ajv2020({
    strict: false,
    formats: { uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  });
  const published = ajv.compile(REFERENCE);
  const generatedCheck = ajv.compile(generated);
  const uuid = '30f63bb3-6f9e-4dd5-9295-a9cdbdeabf75';
  const documented = {
    id: uuid,
    object: 'batch',
    model: 'pixtral-12b-2409',
    endpoint: '/v1/chat/completions',
    input_files: [uuid],
    status: 'SUCCESS',
    created_at: 1_732_400_351,
    started_at: 1_732_400_351,
    completed_at: 1_732_400_376,
    total_requests: 10,
    completed_requests: 10,
    succeeded_requests: 10,
    failed_requests: 0,
    output_file: uuid,
    error_file: uuid,
    metadata: { job_type: 'testing' },
  };
  const live = {
    ...documented,
    status: 'QUEUED',
    output_file: null,
    error_file: null,
    started_at: null,
    errors: [],
  };

  it.each<[string, unknown, { published: boolean; ours: boolean }]>([
    ['a documented job', documented, { published: true, ours: true }],
    ['a queued job as the live API sends it', live, { published: false, ours: true }],
    ['a job with an unknown status', { ...documented, status: 'PAUSED' }, { published: false, ours: true }],
    ["an agent's job", { ...documented, model: null, agent_id: 'ag:1' }, { published: false, ours: true }],
    ['a job with an unknown field', { ...documented, priority: 1 }, { published: true, ours: true }],
    ['a job without a status', { ...documented, status: undefined }, { published: false, ours: false }],
    ['a job without an id', { ...documented, id: undefined }, { published: false, ours: false }],
    ['a job whose age is a text', { ...documented, created_at: 'now' }, { published: false, ours: false }],
    [
      'a job whose output file is a number',
      { ...documented, output_file: 7 },
      { published: false, ours: false },
    ],
    [
      'a job with metadata that is a text',
      { ...documented, metadata: 'x' },
      { published: false, ours: false },
    ],
    ['no job', null, { published: false, ours: false }],
  ])('%s', (_name, value, valid) => {
    // What goes over the wire has no undefined.
    const sample: unknown = JSON.parse(JSON.stringify(value));
    expect(published(sample)).toBe(valid.published);
    expect(generatedCheck(sample)).toBe(valid.ours);
    expect(batchJobSchema.safeParse(sample).success).toBe(valid.ours);
  });

  it('reads absurd counters, times and errors without losing the job', () => {
    const odd = {
      ...documented,
      object: 5,
      total_requests: -1,
      completed_requests: 'ten',
      succeeded_requests: 1.5,
      failed_requests: undefined,
      started_at: 'soon',
      errors: null,
      outputs: 'none',
      input_files: null,
    };
    expect(batchJobSchema.parse(odd)).toMatchObject({
      total_requests: 0,
      completed_requests: 0,
      succeeded_requests: 0,
      failed_requests: 0,
      started_at: null,
      errors: [],
      outputs: null,
      input_files: [],
    });
    expect(batchJobSchema.parse({ ...documented, errors: [{ message: 'bad row' }] }).errors).toEqual([
      { message: 'bad row', count: 1 },
    ]);
  });
});

describe('the errors of a job', () => {
  const read = (errors: unknown) =>
    batchJobSchema.parse({ id: 'j', status: 'FAILED', created_at: 1, errors }).errors;

  it('are read one by one: a text is a message, and what says nothing takes nothing with it', () => {
    const sound = { message: 'Too many pending requests', count: 3 };
    expect(read([null, sound, 'a bare text', 7, ['x'], { message: 'no count' }, { count: 'x' }])).toEqual([
      sound,
      { message: 'a bare text', count: 1 },
      { message: 'no count', count: 1 },
      { message: '', count: 1 },
    ]);
  });

  it('are none where there is no list', () => {
    for (const none of [undefined, null, 'text', 7, {}]) expect(read(none)).toEqual([]);
  });
});

describe('what we send to create a job', () => {
  it('is bounded as the live API documents it', () => {
    expect(BATCH_ENDPOINTS).toHaveLength(10);
    const text = (minLength: number, maxLength: number) => ({ type: 'string', minLength, maxLength });
    expect(z.toJSONSchema(createBatchJobSchema, { io: 'input' })).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        endpoint: {
          type: 'string',
          // The published nine and the live tenth, see above.
          enum: [...BATCH_ENDPOINTS],
        },
        input_files: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, maxItems: 1 },
        model: { type: 'string', minLength: 1 },
        timeout_hours: { type: 'integer', minimum: 1, maximum: 168 },
        metadata: { type: 'object', propertyNames: text(1, 32), additionalProperties: text(1, 512) },
      },
      required: ['endpoint', 'input_files', 'model', 'timeout_hours', 'metadata'],
      additionalProperties: false,
    });
  });

  const request = {
    endpoint: '/v1/chat/completions',
    input_files: ['f'],
    model: 'm',
    timeout_hours: 24,
    metadata: { longhaul_key: 'k' },
  };

  it.each<[string, object, boolean]>([
    ['the documented request', {}, true],
    ['the tenth endpoint', { endpoint: '/v1/chat/classifications' }, true],
    ['1 hour', { timeout_hours: 1 }, true],
    ['168 hours', { timeout_hours: 168 }, true],
    ['no metadata', { metadata: {} }, true],
    ['a key of 32 and a value of 512 characters', { metadata: { ['k'.repeat(32)]: '😀'.repeat(512) } }, true],
    ['0 hours', { timeout_hours: 0 }, false],
    ['169 hours', { timeout_hours: 169 }, false],
    ['half an hour', { timeout_hours: 0.5 }, false],
    ['an unknown endpoint', { endpoint: '/v1/nope' }, false],
    ['an empty key', { metadata: { '': 'v' } }, false],
    ['a key of 33 characters', { metadata: { ['k'.repeat(33)]: 'v' } }, false],
    ['an empty value', { metadata: { k: '' } }, false],
    ['a value of 513 characters', { metadata: { k: 'v'.repeat(513) } }, false],
    ['a value that is no text', { metadata: { k: 1 } }, false],
    ['two input files', { input_files: ['f', 'g'] }, false],
    ['no input file', { input_files: [] }, false],
    ['an unknown field', { priority: 1 }, false],
    ['no model', { model: undefined }, false],
  ])('%s', (_name, change, valid) => {
    expect(createBatchJobSchema.safeParse({ ...request, ...change }).success).toBe(valid);
  });
});

describe('a time that no date holds', () => {
  const job = { id: 'a', status: 'SUCCESS', created_at: 1_732_400_351 };
  const absurd = [1_732_400_351_000_000, 1.7e18, 253_402_300_800, -1, Number.MAX_VALUE, Infinity];

  it.each(absurd)('reads as none: %d', (time) => {
    const read = batchJobSchema.parse({ ...job, created_at: time, started_at: time, completed_at: time });
    expect(read).toMatchObject({ created_at: 0, started_at: null, completed_at: null });
  });

  it('is not taken for one that is no number at all', () => {
    expect(batchJobSchema.safeParse({ ...job, created_at: 'yesterday' }).success).toBe(false);
    expect(batchJobSchema.safeParse({ ...job, created_at: null }).success).toBe(false);
  });

  it('is not the last one that a date holds', () => {
    const times = { created_at: 253_402_300_799, completed_at: 0 };
    expect(batchJobSchema.parse({ ...job, ...times })).toMatchObject(times);
  });
});
