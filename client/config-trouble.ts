/**
 * Why Temporal's configuration can't be read. `@temporalio/envconfig` checks no shapes: a file without tables, or with a
 * number for an address, ends in a TypeError about its own code.
 */
export function configTrouble(error: unknown): string {
  if (error instanceof TypeError) {
    return 'the file has no table such as [profile.default], or a value in it has the wrong type';
  }
  return error instanceof Error ? error.message : String(error);
}
