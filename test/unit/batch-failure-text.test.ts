import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sayableMessage, sayableStack } from '../../batch/failure-text.js';

function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

describe('an error that nobody foresaw', () => {
  it.each([
    ['a parser', () => JSON.parse('PLANTED')],
    ['Node, of an argument', () => Buffer.from(Object('PLANTED').valueOf().length)],
    ['Node, of a file’s name', () => statSync('PLANTED\0')],
    ['Node, of a URL', () => new URL('PLANTED')],
  ])('is told without what it quotes: %s', (_, work) => {
    const error = thrownBy(work);
    expect(sayableMessage(error)).not.toContain('PLANTED');
    expect(sayableStack(error)).not.toContain('PLANTED');
  });

  it('keeps its own words, its name and its place', () => {
    const error = new RangeError('12 of 10 rows');
    expect(sayableStack(error)).toMatch(/^RangeError: 12 of 10 rows\n +at .*batch-failure-text\.test\.ts/);
  });

  it('is told without its causes and what is attached to it', () => {
    const error = Object.assign(new Error('broken answer', { cause: new Error('PLANTED') }), {
      data: 'PLANTED',
    });
    expect(sayableStack(error)).not.toContain('PLANTED');
  });
});
