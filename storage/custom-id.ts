/**
 * The id of a row of a shard; every such row has one, its own or the one that it was given. Null for bytes that are no
 * row: the parser's own error would quote them.
 */
export function customIdOf(bytes: Buffer): string | null {
  const row = parse(bytes);
  if (typeof row !== 'object' || row === null || !('custom_id' in row)) return null;
  return typeof row.custom_id === 'string' ? row.custom_id : null;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
