import { parseShare, sharePoints } from './share.js';
import { POINTS } from './matrix.js';
import type { Point } from './matrix.js';

/* What `npm run chaos -- --share … --seed …` (scripts/chaos.mjs) hands over. */
const { LONGHAUL_CHAOS_SHARE: share = '1/1', LONGHAUL_CHAOS_SEED: seed = 'longhaul' } = process.env;

export const SEED = seed;
export const SHARE = parseShare(share);
export const CHOSEN: readonly Point[] = sharePoints(POINTS, SHARE, SEED);

/** Kills at random: nine series go with the whole matrix, one with a share, which is there to be run often. */
const SERIES = SHARE.of === 1 ? 9 : 1;

export const RANDOM_SEEDS: readonly string[] = Array.from(
  { length: SERIES },
  (_, index) => `${SEED}-${SHARE.part}-${index}`,
);
