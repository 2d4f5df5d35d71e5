import { createHash } from 'node:crypto';

/** One part of so many, as in `1/3`. */
export interface Share {
  readonly part: number;
  readonly of: number;
}

export function parseShare(text: string): Share {
  const [, part, of] = /^([1-9]\d?)\/([1-9]\d?)$/.exec(text) ?? [];
  const share = { part: Number(part), of: Number(of) };
  if (part === undefined || of === undefined || share.part > share.of) {
    throw new Error(`A share is written 1/3, 2/3, …; got ${JSON.stringify(text)}.`);
  }
  return share;
}

/**
 * One n-th of the points, in their order; which ones, the seed decides. The shares of one seed are disjoint and make up
 * the whole. What falls into one share is mixed by the names, so that no victim and no part of a batch's life is
 * always together with the same ones.
 */
export function sharePoints<T extends { readonly name: string }>(
  points: readonly T[],
  { part, of }: Share,
  seed: string,
): T[] {
  const turn = hashOf(seed) % of;
  const mixed = points.toSorted((a, b) => hashOf(a.name) - hashOf(b.name));
  const chosen = new Set(mixed.filter((_, index) => index % of === (turn + part - 1) % of));
  return points.filter((point) => chosen.has(point));
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}
