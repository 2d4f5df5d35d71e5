const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const PATTERN = /^(0|[1-9]\d*)(ms|s|m|h|d)$/;

/** Milliseconds of a text such as `500ms`, `5s`, `10m`, `24h`, `7d`; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, digits, unit] = PATTERN.exec(text) ?? [];
  const factor = UNITS.find(([name]) => name === unit)?.[1];
  if (factor === undefined) return null;
  const milliseconds = Number(digits) * factor;
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}

/** The shortest text that `parseDuration` reads as exactly this many milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
    throw new RangeError(`${milliseconds} is no duration in whole milliseconds`);
  }
  if (milliseconds === 0) return '0s';
  const [name, factor] = UNITS.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / factor}${name}`;
}
