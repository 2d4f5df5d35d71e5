import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../schemas/config.js';
import { parseCodecKeys } from '../../schemas/codec-keys.js';

const A = Buffer.alloc(32, 0xfb).toString('base64');
const B = Buffer.alloc(32, 0xff).toString('base64url');

describe('the keys for payloads', () => {
  it('are read from one line, from several, and with comments', () => {
    const keys = [
      { id: '2026-11', base64: A },
      { id: 'old', base64: B },
    ];
    for (const text of [
      `2026-11:${A},old:${B}`,
      ` 2026-11:${A} , old:${B} ,`,
      `# newest first\r\n2026-11:${A}  # since November\r\n\r\nold:${B}\n`,
    ]) {
      expect(parseCodecKeys(text)).toEqual({ ok: true, keys, seals: true });
    }
  });

  it('are none in an empty text', () => {
    expect(parseCodecKeys(' \n# nothing yet\n')).toEqual({ ok: true, keys: [], seals: false });
  });

  it('only decrypt after the word plain', () => {
    const keys = [{ id: 'old', base64: A }];
    expect(parseCodecKeys(`plain, old:${A}`)).toEqual({ ok: true, keys, seals: false });
    expect(parseCodecKeys(`old:${A},plain`)).toMatchObject({ ok: false });
  });

  it.each([
    ['without an id', A, 'key 1 of 1 is not written as id:base64'],
    ['without a key', 'id:', 'key 1 of 1 is not written as id:base64'],
    ['with more parts', `id:${A}:x`, 'key 1 of 1 is not written as id:base64'],
    ['with a blank in the id', `my key:${A}`, 'key 1 of 1 has an id that is not'],
    ['with a key for an id', `${A}:id`, 'key 1 of 1 has an id that is not'],
    ['of 31 bytes', `a:${B},id:${Buffer.alloc(31).toString('base64')}`, 'key 2 of 2 is not 32 bytes'],
    ['in hexadecimal', `id:${'0f'.repeat(32)}`, 'key 1 of 1 is not 32 bytes'],
    ['with an id used twice', `id:${A},id:${B}`, 'key 2 of 2 has the id of an earlier key'],
  ])('are refused %s', (_, text, problem) => {
    expect(parseCodecKeys(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('are never repeated in what is said about them', () => {
    const entry = fc.oneof(fc.string(), fc.constant(A), fc.constant(`${A}:`), fc.constant(`x:${A}y`));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const parsed = parseCodecKeys(entries.join(','));
        if (!parsed.ok) expect(parsed.problem).not.toContain(A);
      }),
    );
  });
});

describe('the environment', () => {
  it('names the variable and hides its value', () => {
    const result = parseConfig({ LONGHAUL_CODEC_KEYS: A });
    expect(result).toMatchObject({ ok: false, problems: [{ path: 'LONGHAUL_CODEC_KEYS' }] });
    expect(JSON.stringify(result)).not.toContain(A);
  });

  it('gives keys in one place only', () => {
    const both = { LONGHAUL_CODEC_KEYS: `a:${A}`, LONGHAUL_CODEC_KEYS_FILE: '/run/keys' };
    expect(parseConfig(both)).toMatchObject({ ok: false, problems: [{ path: 'LONGHAUL_CODEC_KEYS_FILE' }] });
    expect(parseConfig({ LONGHAUL_CODEC_KEYS_FILE: '/run/keys' })).toMatchObject({
      config: { codecKeys: null, codecKeysFile: '/run/keys' },
    });
  });
});
