import { createDecipheriv } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPayloadCodec } from '../../client/payload-codec.js';

const BYTES = { a: Buffer.alloc(32, 1), b: Buffer.alloc(32, 2) };
const A = `a:${BYTES.a.toString('base64')}`;
const B = `b:${BYTES.b.toString('base64')}`;

async function sealOne(keys: string, payload: Payload): Promise<Payload> {
  const [sealed] = await createPayloadCodec(keys).encode([payload]);
  if (sealed === undefined) throw new Error('nothing was encoded');
  return sealed;
}

async function openOne(keys: string, payload: Payload): Promise<unknown> {
  const [opened] = await createPayloadCodec(keys).decode([payload]);
  if (opened === undefined) throw new Error('nothing was decoded');
  return defaultPayloadConverter.fromPayload(opened);
}

const SECRET = { uri: 'file:///secret/input.jsonl' };
const plain = (): Payload => defaultPayloadConverter.toPayload(SECRET);
const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

describe('a payload codec with keys', () => {
  it('gives back whatever payload it was given', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((value) => new Uint8Array(value));
    const payload = fc.record(
      { metadata: fc.dictionary(fc.string(), bytes), data: bytes },
      { requiredKeys: ['metadata'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 3 }), async (payloads) => {
        const codec = createPayloadCodec(`${A},${B}`);
        const opened = await codec.decode(await codec.encode(payloads));
        expect(opened).toEqual(payloads.map((one) => ({ ...one, metadata: { ...one.metadata } })));
      }),
    );
  });

  it('shows nothing of the payload but the id of the key', async () => {
    const { metadata, data } = await sealOne(A, plain());
    expect(Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, textOf(v)]))).toEqual({
      encoding: 'binary/encrypted',
      'encryption-format': 'longhaul-1',
      'encryption-key-id': 'a',
    });
    expect(textOf(data)).not.toMatch(/secret|json/);
  });

  it('never seals two payloads alike', async () => {
    const sealed = await createPayloadCodec(A).encode(Array.from({ length: 50 }, plain));
    const ivs = sealed.map(({ data }) => textOf(data?.subarray(0, 12)));
    expect(new Set(ivs).size).toBe(50);
  });

  it('encrypts with the first key and opens what any of its keys sealed', async () => {
    const old = await sealOne(A, plain());
    const young = await sealOne(`${B},${A}`, plain());
    expect(textOf(young.metadata?.['encryption-key-id'])).toBe('b');
    for (const sealed of [old, young]) {
      for (const keys of [`${A},${B}`, `${B},${A}`]) expect(await openOne(keys, sealed)).toEqual(SECRET);
    }
  });

  it('is AES-256-GCM with the format and the key’s id as associated data, as the documentation says', async () => {
    const { data } = await sealOne(A, plain());
    const bytes = Buffer.from(data ?? []);
    const decipher = createDecipheriv('aes-256-gcm', BYTES.a, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from('longhaul-1:a'));
    decipher.setAuthTag(bytes.subarray(-16));
    const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString();
    const payload = JSON.parse(text) as { metadata: { encoding: string }; data: string };
    expect(Buffer.from(payload.metadata.encoding, 'base64').toString()).toBe('json/plain');
    expect(JSON.parse(Buffer.from(payload.data, 'base64').toString())).toEqual(SECRET);
  });
});

describe('a payload that can’t be opened', () => {
  it.each([
    ['no keys', '', 'this process has no keys'],
    ['other keys', B, 'this process has b'],
  ])('names the missing key to a process with %s', async (_, keys, has) => {
    await expect(openOne(keys, await sealOne(A, plain()))).rejects.toMatchObject({
      type: 'CodecKeyMissing',
      message: expect.stringContaining(`encrypted with the key "a", and ${has}`),
      remedy: expect.stringContaining('LONGHAUL_CODEC_KEYS'),
    });
  });

  it('is told apart from a missing key when the id stands for another one', async () => {
    const other = `a:${BYTES.b.toString('base64')}`;
    await expect(openOne(other, await sealOne(A, plain()))).rejects.toMatchObject({ type: 'CodecKeyWrong' });
  });

  it('is refused after any change: of a byte, of the length, of the id of its key', async () => {
    // Both ids stand for the same bytes: only the associated data can tell them apart.
    const keys = `${A},twin:${BYTES.a.toString('base64')}`;
    const sealed = await sealOne(keys, plain());
    const data = sealed.data ?? new Uint8Array();
    const flipped = Array.from(data, (_, at) => data.map((byte, index) => (index === at ? byte ^ 1 : byte)));
    const cut = Array.from(data, (_, length) => data.slice(0, length));
    for (const changed of [...flipped, ...cut]) {
      await expect(openOne(keys, { ...sealed, data: changed })).rejects.toMatchObject({
        type: 'CodecKeyWrong',
      });
    }
    const metadata = { ...sealed.metadata, 'encryption-key-id': new TextEncoder().encode('twin') };
    await expect(openOne(keys, { ...sealed, metadata })).rejects.toMatchObject({ type: 'CodecKeyWrong' });
  });

  it('says no more of an id from outside than fits on a line', async () => {
    const sealed = await sealOne(A, plain());
    const metadata = { ...sealed.metadata, 'encryption-key-id': Buffer.from(`\u001b[2J${'x'.repeat(5000)}`) };
    const error: unknown = await openOne(A, { ...sealed, metadata }).catch((thrown: unknown) => thrown);
    expect(String(error).length).toBeLessThan(250);
    expect(String(error)).not.toContain('\u001b');
  });
});

describe('payloads of others', () => {
  const foreign: Payload = {
    metadata: {
      encoding: Buffer.from('binary/encrypted'),
      'encryption-cipher': Buffer.from('AES/GCM/NoPadding'),
    },
    data: Buffer.from('somebody else’s'),
  };

  it.each([
    ['plain ones', plain()],
    ['those of another codec', foreign],
    ['those without metadata', { data: new Uint8Array([1]) }],
    ['empty ones', {}],
  ])('pass as they are: %s', async (_, payload) => {
    for (const keys of ['', A]) {
      expect((await createPayloadCodec(keys).decode([payload]))[0]).toBe(payload);
    }
  });

  it('are not encrypted without keys, nor with keys that only decrypt', async () => {
    const payload = plain();
    for (const keys of ['', `plain,${A}`]) {
      expect((await createPayloadCodec(keys).encode([payload]))[0]).toBe(payload);
    }
    expect(await openOne(`plain,${A}`, await sealOne(A, plain()))).toEqual(SECRET);
  });
});

it('keys that can’t be used are the caller’s mistake', () => {
  expect(() => createPayloadCodec('nonsense')).toThrow(
    expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining('key 1 of 1') }),
  );
});
