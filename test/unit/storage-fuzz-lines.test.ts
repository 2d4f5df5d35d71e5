import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readLines } from '../../storage/jsonl.js';
import { corpus } from '../support/corpus.js';

/* The line reader against a naive split. Contents are texts of one byte per character. */

const LIMITS = [Number.POSITIVE_INFINITY, 12, 1];

interface Seen {
  readonly text: string;
  readonly line: number;
  readonly tooLong: boolean;
}

async function read(pieces: readonly string[], maxLineBytes: number): Promise<Seen[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1');
  }
  const lines: Seen[] = [];
  for await (const batch of readLines(source(), { maxLineBytes })) {
    for (const { bytes, line, tooLong } of batch) {
      lines.push({ text: bytes.toString('latin1'), line, tooLong: tooLong !== null });
    }
  }
  return lines;
}

function split(content: string, maxLineBytes: number): Seen[] {
  return content
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .split('\n')
    .map((text, index) => ({ text: text.replace(/\r$/, ''), line: index + 1 }))
    .filter(({ text }) => /[^ \t\r]/.test(text))
    .map(({ text, line }) => {
      const tooLong = text.length > maxLineBytes;
      return { text: tooLong ? '' : text, line, tooLong };
    });
}

test('a content of the corpus is split alike with a border between any two of its bytes', async () => {
  for (const [content] of corpus('lines', z.string())) {
    for (const limit of LIMITS) {
      const expected = split(content, limit);
      for (let first = 0; first <= content.length; first += 1) {
        for (let second = first; second <= content.length; second += 1) {
          const pieces = [content.slice(0, first), content.slice(first, second), content.slice(second)];
          expect(await read(pieces, limit)).toEqual(expected);
        }
      }
    }
  }
});

test('any bytes in any pieces are split alike', async () => {
  const byte = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf, 0x00, 0xc3) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );
  const piece = fc.array(byte, { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.constantFrom(...LIMITS), async (pieces, limit) => {
      expect(await read(pieces, limit)).toEqual(split(pieces.join(''), limit));
    }),
    { numRuns: 2000 },
  );
});

test('a line of any length is refused in constant memory', async () => {
  const limit = 1024 * 1024;
  const piece = Buffer.alloc(64 * 1024, 'x');
  let most = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 8192; count += 1) {
      // Every piece of its own, as from a disk: what is kept of them shows.
      yield Buffer.from(piece);
      if (count % 512 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  const lengths: (number | null)[] = [];
  for await (const lines of readLines(source(), { maxLineBytes: limit })) {
    lengths.push(...lines.map(({ tooLong }) => tooLong));
  }
  expect(lengths).toEqual([512 * 1024 * 1024]);
  // Half a gigabyte went by; what waits for the garbage collector is a part of what is measured.
  expect(most - before).toBeLessThan(200 * 1024 * 1024);
});
