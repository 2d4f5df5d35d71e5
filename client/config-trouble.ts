/**
 * Why Temporal's configuration can't be read, without a word of what is in it: it has keys. `@temporalio/envconfig` checks
 * no shapes, so that a file without tables, or with a number for an address, ends in a TypeError about its own code; and the
 * parser of TOML repeats the lines around a mistake.
 */
export function configTrouble(error: unknown): string {
  if (error instanceof TypeError) {
    return 'the file has no table such as [profile.default], or a value in it has the wrong type';
  }
  if (!(error instanceof Error)) return 'for an unknown reason';
  const place = placeOf(error);
  return place === null ? error.message : `the file is no TOML at ${place}`;
}

function placeOf(error: Error): string | null {
  const line = 'line' in error ? error.line : null;
  const column = 'column' in error ? error.column : null;
  return typeof line === 'number' && typeof column === 'number' ? `line ${line}, column ${column}` : null;
}

/** What an HTTP header may hold. gRPC's own complaint about anything else repeats the value, a key with a line break say. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** Whose value can't be sent as a header; null: all can. */
export function unsendable(values: Readonly<Record<string, unknown>>): string | null {
  const found = Object.entries(values).find(
    ([, value]) => typeof value === 'string' && !HEADER_VALUE.test(value),
  );
  return found?.[0] ?? null;
}
