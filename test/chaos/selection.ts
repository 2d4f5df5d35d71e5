import { parseShare, sharePoints } from './share.js';
import { POINTS } from './matrix.js';
import type { Point } from './matrix.js';

/* What `npm run chaos -- --share … --seed …` (scripts/chaos.mjs) hands over. */
const { LONGHAUL_CHAOS_SHARE: share = '1/1', LONGHAUL_CHAOS_SEED: seed = 'longhaul' } = process.env;

export const SEED = seed;
export const SHARE = parseShare(share);
export const CHOSEN: readonly Point[] = sharePoints(POINTS, SHARE, SEED);

const SERIES = 9;

/** Series of kills at random: nine for the whole matrix. */
export const RANDOM_SEEDS: readonly string[] = Array.from(
  { length: Math.ceil(SERIES / SHARE.of) },
  (_, index) => `${SEED}-${SHARE.part}-${index}`,
);
