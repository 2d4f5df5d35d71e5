import type { Payload, PayloadCodec } from '@temporalio/common';
import { parseCodecKeys } from '../schemas/codec-keys.js';
import type { CodecKey } from '../schemas/codec-keys.js';
import { LonghaulError } from './failures.js';

/** Web Crypto's, which Node has too: this room imports nothing of Node. */
const { subtle } = globalThis.crypto;

const ENCODING = 'binary/encrypted';
const FORMAT = 'longhaul-1';
const FIELD = { encoding: 'encoding', format: 'encryption-format', keyId: 'encryption-key-id' } as const;
const ALGORITHM = 'AES-GCM';
/** Of GCM: 96 bits drawn at random for each payload, then the ciphertext, then the tag of 128 bits. */
const IV_BYTES = 12;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type SealingKey = Awaited<ReturnType<typeof importKey>>;

/**
 * Encrypts every payload with the first key, and decrypts with whichever key a payload names. Without keys, or after the
 * word `plain`, it encrypts nothing; payloads that were never encrypted, and those of other programs' codecs, pass as they are: so keys may be
 * added to, or taken from, batches that run.
 * @throws LonghaulError InvalidInput for a text that is no list of keys
 */
export function createPayloadCodec(keysText: string): PayloadCodec & {
  /** Whether it encrypts; any codec decrypts. */
  readonly seals: boolean;
} {
  const parsed = parseCodecKeys(keysText);
  if (!parsed.ok) throw new LonghaulError('InvalidInput', `the keys for payloads: ${parsed.problem}`);
  const known = new Map(parsed.keys.map((key) => [key.id, once(() => importKey(key))]));
  const { seals } = parsed;
  const [first] = seals ? parsed.keys : [];
  return {
    seals,
    encode: (payloads) =>
      first === undefined
        ? Promise.resolve(payloads)
        : Promise.all(payloads.map((payload) => seal(payload, first.id, known))),
    decode: (payloads) =>
      Promise.all(
        payloads.map(async (payload) => {
          const keyId = keyIdOf(payload);
          return keyId === null ? payload : open(payload, keyId, known);
        }),
      ),
  };
}

type KnownKeys = ReadonlyMap<string, () => Promise<SealingKey>>;

async function seal(payload: Payload, keyId: string, known: KnownKeys): Promise<Payload> {
  const key = await keyOf(keyId, known);
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await subtle.encrypt(parameters(keyId, iv), key, encoder.encode(toText(payload)));
  const data = new Uint8Array(IV_BYTES + sealed.byteLength);
  data.set(iv);
  data.set(new Uint8Array(sealed), IV_BYTES);
  return {
    metadata: {
      [FIELD.encoding]: encoder.encode(ENCODING),
      [FIELD.format]: encoder.encode(FORMAT),
      [FIELD.keyId]: encoder.encode(keyId),
    },
    data,
  };
}

async function open({ data }: Payload, keyId: string, known: KnownKeys): Promise<Payload> {
  const key = await keyOf(keyId, known);
  const bytes = new Uint8Array(data ?? []);
  try {
    const plain = await subtle.decrypt(
      parameters(keyId, bytes.subarray(0, IV_BYTES)),
      key,
      bytes.subarray(IV_BYTES),
    );
    return fromText(decoder.decode(plain));
  } catch (error) {
    throw new LonghaulError(
      'CodecKeyWrong',
      `a payload in Temporal does not open with the key ${quoted(keyId)}: here another key has that id, or the payload was changed`,
      { cause: error },
    );
  }
}

/** Binds a payload to this format and the id that it names: neither can be exchanged unnoticed. */
function parameters(keyId: string, iv: Uint8Array<ArrayBuffer>) {
  return { name: ALGORITHM, iv, additionalData: encoder.encode(`${FORMAT}:${keyId}`) };
}

/** Null for what is not of this format. */
function keyIdOf({ metadata }: Payload): string | null {
  const field = (name: string): string => decoder.decode(metadata?.[name] ?? new Uint8Array());
  const isOurs = field(FIELD.encoding) === ENCODING && field(FIELD.format) === FORMAT;
  return isOurs ? field(FIELD.keyId) : null;
}

function keyOf(keyId: string, known: KnownKeys): Promise<SealingKey> {
  const key = known.get(keyId);
  if (key !== undefined) return key();
  const has =
    known.size === 0 ? 'this process has no keys' : `this process has ${[...known.keys()].join(', ')}`;
  throw new LonghaulError(
    'CodecKeyMissing',
    `a payload in Temporal is encrypted with the key ${quoted(keyId)}, and ${has}`,
  );
}

function importKey({ base64 }: CodecKey) {
  return subtle.importKey('raw', Buffer.from(base64, 'base64'), ALGORITHM, false, ['encrypt', 'decrypt']);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** It comes from Temporal, where others may write too. */
function quoted(keyId: string): string {
  return JSON.stringify(keyId.slice(0, 64));
}

/** The JSON form that Temporal's own tools give a payload: members in base64. */
function toText({ metadata, data }: Payload): string {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64Of(value)] as const);
  return JSON.stringify({
    metadata: Object.fromEntries(fields),
    ...(data === null || data === undefined ? {} : { data: base64Of(data) }),
  });
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The tag has proved that `toText` wrote it; anything else is a bug of this format. */
function fromText(text: string): Payload {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || !isObject(value['metadata'])) throw new TypeError('not a payload');
  const metadata = Object.entries(value['metadata']).map(([name, field]) => [name, bytesOf(field)] as const);
  const { data } = value;
  return { metadata: Object.fromEntries(metadata), ...(data === undefined ? {} : { data: bytesOf(data) }) };
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new TypeError('not base64');
  return new Uint8Array(Buffer.from(value, 'base64'));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
