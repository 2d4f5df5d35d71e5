/** Decimal and binary units, as disks and memory are sold; plain numbers are bytes. */
const UNITS = [
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
  ['', 1],
] as const;

const PATTERN = /^(0|[1-9]\d*)([KMGT]i?B)?$/;

/** Bytes of a text such as `512MB` (10^6), `1GiB` (2^30) or `1024`; null for anything else. */
export function parseSize(text: string): number | null {
  const [, digits, unit = ''] = PATTERN.exec(text) ?? [];
  const factor = UNITS.find(([name]) => name === unit)?.[1];
  if (digits === undefined || factor === undefined) return null;
  const bytes = Number(digits) * factor;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest text that `parseSize` reads as exactly this many bytes. */
export function formatSize(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`${bytes} is no size in whole bytes`);
  const exact = UNITS.filter(([, factor]) => bytes % factor === 0).map(
    ([name, factor]) => `${bytes / factor}${name}`,
  );
  return exact.reduce((best, text) => (text.length < best.length ? text : best));
}
