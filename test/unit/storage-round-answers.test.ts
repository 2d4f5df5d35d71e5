import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerLine } from '../../storage/answer-line.js';
import { sha256Hex } from '../../storage/hash.js';
import { AnswerMerge } from '../../storage/round-answers.js';
import type { ClosedRound } from '../../storage/round-answers.js';
import { memoryStore } from '../support/memory-store.js';

const folderOf = (round: number) => `b/rounds/00000-${round}`;

async function closed(rounds: readonly (readonly number[])[]) {
  const store = memoryStore();
  const accounts: ClosedRound[] = [];
  for (const [index, positions] of rounds.entries()) {
    const round = index + 1;
    const content = positions
      .map((position) => {
        const head = { position, line: position + 1, error: null, retryable: false, usage: null };
        return `${answerLine(head, Buffer.from(`{"round":${round},"of":${position}}`)).toString()}\n`;
      })
      .join('');
    await store.writeSmall(`${folderOf(round)}/answers.jsonl`, content);
    accounts.push({ round, folder: folderOf(round), sha256: sha256Hex(content) });
  }
  return { store, accounts, merge: new AnswerMerge(store, accounts) };
}

/** Rounds over rows 0 to n-1: the first has all, each later one a part of them. */
const rounds = fc.integer({ min: 1, max: 12 }).chain((rows) => {
  const all = Array.from({ length: rows }, (_, position) => position);
  return fc.array(fc.subarray(all), { maxLength: 3 }).map((later) => [all, ...later]);
});

describe('the rounds of a shard side by side', () => {
  it('give the last round’s word on each row, and are whole', async () => {
    const property = fc.asyncProperty(rounds, async (positions) => {
      const { merge } = await closed(positions);
      for (const position of positions[0] ?? []) {
        const last = positions.findLastIndex((taken) => taken.includes(position)) + 1;
        const answer = await merge.lastWord(position);
        expect(answer).toMatchObject({ round: last, head: { position, line: position + 1 } });
        expect(answer?.result.toString()).toBe(`{"round":${last},"of":${position}}`);
      }
      await merge.verify();
      await merge.close();
    });
    await fc.assert(property);
  });

  it('know nothing of a row that none of them has', async () => {
    const { merge } = await closed([[0, 2]]);
    expect(await merge.lastWord(0)).not.toBeNull();
    expect(await merge.lastWord(1)).toBeNull();
    expect(await merge.lastWord(2)).not.toBeNull();
    expect(await merge.lastWord(3)).toBeNull();
    await expect(merge.verify()).resolves.toBeUndefined();
  });

  it('are not whole before they were read to their end', async () => {
    const { merge } = await closed([[0, 1, 2]]);
    await merge.lastWord(0);
    await expect(merge.verify()).rejects.toMatchObject({ type: 'IntegrityMismatch' });
  });

  it('can be compared with their accounts without being read by row', async () => {
    const whole = await closed([[0, 1, 2], [1]]);
    await whole.merge.lastWord(0);
    await expect(whole.merge.verifyRest()).resolves.toBeUndefined();
    const { store, accounts } = await closed([[0, 1, 2], [1]]);
    const [first, second] = accounts;
    if (first === undefined || second === undefined) throw new Error('two rounds');
    const swapped = new AnswerMerge(store, [first, { ...second, sha256: first.sha256 }]);
    await expect(swapped.verifyRest()).rejects.toMatchObject({ type: 'IntegrityMismatch' });
  });

  it('name the line that does not read as it was written, and do not quote it', async () => {
    const store = memoryStore();
    await store.writeSmall(`${folderOf(1)}/answers.jsonl`, 'SECRET\n');
    const merge = new AnswerMerge(store, [{ round: 1, folder: folderOf(1), sha256: sha256Hex('SECRET\n') }]);
    const failure: unknown = await merge.lastWord(0).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'IntegrityMismatch' });
    expect(String(failure)).toContain('answers.jsonl, line 1');
    expect(String(failure)).not.toContain('SECRET');
  });

  it('may be closed at any time', async () => {
    const { merge } = await closed([[0, 1], [1]]);
    await merge.lastWord(0);
    await merge.close();
    await merge.close();
  });
});
