import { describe, expect, it } from 'vitest';
import { POINTS, VICTIMS } from '../chaos/matrix.js';
import { parseShare, sharePoints } from '../chaos/share.js';

const THIRDS = [1, 2, 3].map((part) => ({ part, of: 3 }));
const commits = Array.from({ length: 30 }, (_, index) => `commit-${index}`);

describe('the crash matrix', () => {
  it('has at least forty points, each with a name of its own', () => {
    expect(POINTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(POINTS.map(({ name }) => name)).size).toBe(POINTS.length);
  });

  it('kills each victim at every step where its death makes a difference', () => {
    for (const victim of ['worker', 'server', 'both', 'command']) {
      expect(POINTS.filter((point) => point.victim === victim).length).toBeGreaterThanOrEqual(35);
    }
    expect(POINTS.filter(({ victim }) => victim === 'all')).toHaveLength(6);
  });
});

describe('a share of the crash matrix', () => {
  it('and the others of its seed are the whole, each point once', () => {
    const all = THIRDS.flatMap((share) => sharePoints(POINTS, share, 'a seed'));
    expect(all.map(({ name }) => name).toSorted()).toEqual(POINTS.map(({ name }) => name).toSorted());
  });

  it('is a third, with every victim', () => {
    for (const share of THIRDS) {
      const chosen = sharePoints(POINTS, share, 'a seed');
      expect(Math.abs(chosen.length - POINTS.length / 3)).toBeLessThan(1);
      expect(new Set(chosen.map(({ victim }) => victim)).size).toBe(VICTIMS.length);
    }
  });

  it('is the same for the same seed, and over some commits each third has its turn', () => {
    const first = (seed: string) =>
      sharePoints(POINTS, { part: 1, of: 3 }, seed)
        .map(({ name }) => name)
        .join();
    expect(first('a seed')).toBe(first('a seed'));
    expect(new Set(commits.map(first)).size).toBe(3);
  });

  it('is the whole by default', () => {
    expect(sharePoints(POINTS, parseShare('1/1'), 'a seed')).toEqual(POINTS);
  });

  it.each(['0/3', '4/3', '1', '1/0', 'x'])('is not written %s', (text) => {
    expect(() => parseShare(text)).toThrow('1/3');
  });
});
