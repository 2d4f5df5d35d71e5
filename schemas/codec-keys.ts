/** A key for payloads in Temporal. */
export interface CodecKey {
  /** Stands in clear beside each payload, so that a reader knows which key to take. */
  readonly id: string;
  /** 32 bytes in base64. */
  readonly base64: string;
}

export type CodecKeysResult =
  | {
      readonly ok: true;
      readonly keys: readonly CodecKey[];
      /** Whether the first key encrypts; else the keys only decrypt. */
      readonly seals: boolean;
    }
  /** Words for people; never a part of a key. */
  | { readonly ok: false; readonly problem: string };

/** Stands before keys that are to decrypt only, while encryption is turned on or off. */
const PLAIN = 'plain';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** 256 bits make 43 characters; both alphabets of RFC 4648, with or without padding. */
const KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Reads `id:base64,id:base64`, or one key per line; `#` begins a comment. The first key encrypts, all decrypt. With the
 * word `plain` before them they only decrypt, and so it is without any keys.
 */
export function parseCodecKeys(text: string): CodecKeysResult {
  const entries = text
    .split(/\r?\n/)
    .flatMap((line) => (line.split('#')[0] ?? '').split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const seals = entries[0] !== PLAIN;
  if (!seals) entries.shift();
  const keys = new Map<string, CodecKey>();
  for (const [index, entry] of entries.entries()) {
    const place = `key ${index + 1} of ${entries.length}`;
    const [id = '', base64 = '', ...rest] = entry.split(':');
    if (rest.length > 0 || base64 === '') return refused(`${place} is not written as id:base64`);
    // An id that is none may be a key in the wrong place: it is not repeated.
    if (!ID.test(id)) {
      return refused(`${place} has an id that is not 1 to 64 letters, digits, ".", "_" or "-"`);
    }
    if (!KEY.test(base64)) {
      return refused(`${place} is not 32 bytes in base64: make one with \`openssl rand -base64 32\``);
    }
    if (keys.has(id)) return refused(`${place} has the id of an earlier key`);
    keys.set(id, { id, base64 });
  }
  return { ok: true, keys: [...keys.values()], seals: seals && keys.size > 0 };
}

function refused(problem: string): CodecKeysResult {
  return { ok: false, problem };
}
