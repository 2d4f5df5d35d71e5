import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifestSchema } from '../../schemas/manifest.js';
import {
  intentSchema,
  invalidRowSchema,
  jobRecordSchema,
  planSchema,
  refusedSchema,
  roundAccountSchema,
} from '../../schemas/records.js';
import { answerLine, readAnswerLine } from '../../storage/answer-line.js';
import type { AnswerHead } from '../../storage/answer-line.js';
import { StorageError } from '../../storage/errors.js';
import { readRecord } from '../../storage/record.js';
import { openRowIndex, RowIndexWriter } from '../../storage/row-index.js';
import { memoryStore } from '../support/memory-store.js';

/* Files of the store that somebody edited, cut or overwrote. */

const SCHEMAS = [
  planSchema,
  intentSchema,
  refusedSchema,
  jobRecordSchema,
  roundAccountSchema,
  invalidRowSchema,
  manifestSchema,
];
const FIELDS = SCHEMAS.flatMap((schema) => ('shape' in schema ? Object.keys(schema.shape) : []));

const bytes = fc.uint8Array({ maxLength: 120 }).map((value) => Buffer.from(value));

/** A text with some of it exchanged, doubled or cut off. */
function damaged(text: Buffer): fc.Arbitrary<Buffer> {
  const place = fc.nat({ max: text.length });
  return fc.tuple(place, place, fc.oneof(fc.constant(Buffer.alloc(0)), bytes)).map(([a, b, piece]) => {
    return Buffer.concat([text.subarray(0, Math.min(a, b)), piece, text.subarray(Math.max(a, b))]);
  });
}

async function typeThrownBy(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof StorageError) return error.type;
    throw error;
  }
}

describe('a record', () => {
  it('is what its schema says, or a mismatch of the store', async () => {
    const value = fc.dictionary(fc.constantFrom(...FIELDS), fc.jsonValue(), { maxKeys: 10 });
    const content = fc.oneof(
      bytes,
      fc.jsonValue().map((json) => Buffer.from(JSON.stringify(json))),
      value.map((json) => Buffer.from(JSON.stringify({ version: 1, ...json }))),
    );
    await fc.assert(
      fc.asyncProperty(content, fc.constantFrom(...SCHEMAS), async (text, schema) => {
        const store = memoryStore();
        await store.writeSmall('record.json', text);
        const type = await typeThrownBy(() => readRecord(store, 'record.json', schema));
        expect([null, 'StorageMismatch']).toContain(type);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a line of answers', () => {
  const HEAD: AnswerHead = { position: 12, line: 13, error: null, retryable: false, usage: { total: 3 } };
  const LINE = answerLine(HEAD, Buffer.from('{"custom_id":"a","response":null}'));

  it('is one of ours or none, whatever was done to it', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(LINE), bytes), (line) => {
        const read = readAnswerLine(line);
        if (read === null) return;
        expect(Number.isInteger(read.head.position)).toBe(true);
        expect(read.result.length).toBeLessThan(line.length);
      }),
      { examples: [[Buffer.from('{"at":    1,}')], [Buffer.from('{"at":   11,"result":}')]], numRuns: 5000 },
    );
  });
});

describe('a row index', () => {
  it('gives the records it was given, or says that it is broken', async () => {
    const whole = memoryStore();
    const writer = new RowIndexWriter(await whole.openWriter('rows.idx'));
    for (let position = 0; position < 5; position += 1) {
      await writer.add({
        position,
        line: position + 1,
        offset: position * 10,
        length: 9,
        generatedId: false,
      });
    }
    await writer.commit();
    const content = whole.files.get('rows.idx') ?? Buffer.alloc(0);
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged(content), bytes), async (text) => {
        const store = memoryStore();
        await store.writeSmall('rows.idx', text);
        const type = await typeThrownBy(async () => {
          const index = await openRowIndex(store, 'rows.idx');
          let read = 0;
          for await (const entries of index.read()) read += entries.length;
          expect(read).toBe(index.records);
        });
        expect([null, 'IntegrityMismatch', 'StorageMismatch']).toContain(type);
      }),
      { numRuns: 1000 },
    );
  });
});
