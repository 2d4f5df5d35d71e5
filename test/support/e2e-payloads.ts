/** A payload somewhere in what Temporal's API returned. */
export interface FoundPayload {
  /** `json/plain`, `binary/encrypted` and so on. */
  readonly encoding: string;
  /** Empty for what is not encrypted. */
  readonly keyId: string;
  /** Names of the fields that lead to it. */
  readonly path: string;
  readonly text: string;
}

/** All payloads of a message but those of search attributes, which no codec ever sees. */
export function payloadsIn(message: unknown, path = ''): FoundPayload[] {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return [];
  if (Array.isArray(message)) return message.flatMap((part) => payloadsIn(part, path));
  const { metadata, data } = message as { metadata?: unknown; data?: unknown };
  if (isFields(metadata)) {
    const encoding = textOf(metadata['encoding']);
    return [{ encoding, keyId: textOf(metadata['encryption-key-id']), path, text: textOf(data) }];
  }
  return Object.entries(message).flatMap(([name, member]) =>
    name === 'searchAttributes' ? [] : payloadsIn(member, `${path}.${name}`),
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'encoding' in value;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
}
