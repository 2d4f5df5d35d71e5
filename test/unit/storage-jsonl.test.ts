import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFileStore } from '../../storage/file.js';
import { LineWriter, readLines, type Line } from '../../storage/jsonl.js';

async function* chunked(content: Buffer, borders: readonly number[]): AsyncGenerator<Uint8Array> {
  const cuts = [
    0,
    ...borders.map((border) => border % (content.length + 1)).sort((a, b) => a - b),
    content.length,
  ];
  for (const [index, end] of cuts.entries()) yield content.subarray(cuts[index - 1] ?? 0, end);
}

async function linesOf(source: AsyncIterable<Uint8Array>, maxLineBytes?: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const batch of readLines(source, maxLineBytes === undefined ? {} : { maxLineBytes })) {
    expect(batch.length).toBeGreaterThan(0);
    lines.push(...batch);
  }
  return lines;
}

/** What lines mean, on text of one byte per character: independent of chunks, offsets and buffers. */
function reference(content: Buffer, maxLineBytes = Number.POSITIVE_INFINITY) {
  const text = content.toString('latin1');
  const mark = text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  let offset = mark;
  const lines = [];
  for (const [index, physical] of text.slice(mark).split('\n').entries()) {
    const line = physical.replace(/\r$/, '');
    if (/[^ \t\r]/.test(line)) {
      const tooLong = line.length > maxLineBytes ? line.length : null;
      lines.push({ text: tooLong === null ? line : '', line: index + 1, offset, tooLong });
    }
    offset += physical.length + 1;
  }
  return lines;
}

const comparable = (lines: readonly Line[]) =>
  lines.map(({ bytes, ...rest }) => ({ text: bytes.toString('latin1'), ...rest }));

/** Mostly made of what line ends, blank lines and marks are made of. */
const content = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.constantFrom(
            '\n',
            '\r\n',
            '\r',
            ' ',
            '\t',
            'a',
            '{}',
            '\u00a0',
            'long enough to matter',
          ),
        },
        { weight: 1, arbitrary: fc.constantFrom('\u00ef', '\u00bb', '\u00bf', '\u00ef\u00bb\u00bf', '\0') },
      ),
      { maxLength: 40 },
    ),
  )
  .map(([marked, parts]) => Buffer.from((marked ? '\u00ef\u00bb\u00bf' : '') + parts.join(''), 'latin1'));
const borders = fc.array(fc.nat(), { maxLength: 12 });

describe('reading lines', () => {
  test('any content in any chunks gives the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(content, borders, async (bytes, cuts) => {
        expect(comparable(await linesOf(chunked(bytes, cuts)))).toEqual(reference(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('any limit marks the same lines as too long', async () => {
    await fc.assert(
      fc.asyncProperty(content, borders, fc.integer({ min: 1, max: 12 }), async (bytes, cuts, limit) => {
        expect(comparable(await linesOf(chunked(bytes, cuts), limit))).toEqual(reference(bytes, limit));
      }),
      { numRuns: 500 },
    );
  });

  test('byte by byte is no different', async () => {
    const bytes = Buffer.from('\ufeff{"a":1}\r\n\r\n  {"b":"ä\\n𝄞"}\n\t \nlast\r');
    const all = Array.from({ length: bytes.length }, (_, index) => index);
    const lines = await linesOf(chunked(bytes, all));
    expect(lines.map(({ bytes: line, ...rest }) => ({ text: line.toString(), ...rest }))).toEqual([
      { text: '{"a":1}', line: 1, offset: 3, tooLong: null },
      { text: '  {"b":"ä\\n𝄞"}', line: 3, offset: 14, tooLong: null },
      { text: 'last', line: 5, offset: 36, tooLong: null },
    ]);
    for (const { bytes: line, offset } of lines) {
      expect(bytes.subarray(offset, offset + line.length).equals(line)).toBe(true);
    }
  });

  test('nothing gives no lines, and so do blanks and a mark alone', async () => {
    for (const text of ['', '\n\n', ' \r\n\t', '\ufeff', '\ufeff \n']) {
      expect(await linesOf(chunked(Buffer.from(text), []))).toEqual([]);
    }
  });

  test('a line over the limit may be longer than any buffer could be', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('before\n');
      for (let count = 0; count < 5000; count += 1) yield piece;
      yield Buffer.from('\nafter');
    }
    expect(comparable(await linesOf(source(), 2_000_000))).toEqual([
      { text: 'before', line: 1, offset: 0, tooLong: null },
      { text: '', line: 2, offset: 7, tooLong: 5_000_000_000 },
      { text: 'after', line: 3, offset: 5_000_000_008, tooLong: null },
    ]);
  });

  test('plain arrays of bytes are read like buffers', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.from([0, 0x61, 0x0a, 0x62]).subarray(1);
    }
    expect(comparable(await linesOf(source())).map(({ text }) => text)).toEqual(['a', 'b']);
  });
});

describe('writing lines', () => {
  test('what is written is read back, and the bytes tell the next offset', async () => {
    const root = await mkdtemp(join(tmpdir(), 'longhaul-jsonl-'));
    try {
      const writer = new LineWriter(await openFileStore(root).openWriter('x.jsonl'));
      const offsets: number[] = [];
      for (const line of ['{"a":1}', Buffer.from('ä'), 'x'.repeat(1_100_000), 'last']) {
        offsets.push(writer.bytes);
        await writer.write(line);
      }
      await expect(writer.write('two\nlines')).rejects.toThrow(TypeError);
      await expect(writer.write(Buffer.from('two\nlines'))).rejects.toThrow(TypeError);
      expect(writer.lines).toBe(4);
      expect(await writer.commit()).toMatchObject({ bytes: 8 + 3 + 1_100_001 + 5 });
      const bytes = await readFile(join(root, 'x.jsonl'));
      expect(reference(bytes).map(({ offset }) => offset)).toEqual(offsets);
      expect(bytes.toString()).toBe(`{"a":1}\nä\n${'x'.repeat(1_100_000)}\nlast\n`);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
