import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../providers/errors.js';
import { searchUnreadable } from '../../providers/mistral/job-filter.js';

const KEY = '0123456789abcdef'.repeat(4);
const WANTED = [['longhaul_key', KEY]] as const;
const SOUND = { id: 'j', status: 'RUNNING', created_at: 1_732_400_351 };

/** What a search finds when a job by itself is this, or can't be had for this reason. */
async function search(entries: readonly unknown[], byItself: unknown, mayLack = false) {
  const asked: string[] = [];
  const { jobs, doubt } = await searchUnreadable(entries, WANTED, {
    readJob: (id) => {
      asked.push(id);
      return byItself instanceof Error ? Promise.reject(byItself) : Promise.resolve(byItself);
    },
    mayLackMetadata: () => Promise.resolve(mayLack),
  });
  return { jobs: jobs.map(({ id }) => id), doubt: doubt?.type ?? null, asked, message: doubt?.message ?? '' };
}

const PASSED_OVER = { jobs: [], doubt: null };
const IN_DOUBT = { jobs: [], doubt: 'ProviderContract' };

describe('an entry that fits no schema', () => {
  it.each<[string, unknown]>([
    ['has another key', { id: 'j', created_at: 'x', metadata: { longhaul_key: 'f'.repeat(64) } }],
    ['has no metadata', { id: 'j', created_at: 'x', metadata: null }],
    ['has metadata of another form, without the key', { id: 'j', created_at: 'x', metadata: 'team=red' }],
    ['has an empty list as metadata, and no id', { created_at: 'x', metadata: [] }],
  ])('is passed over unread if it %s', async (_, entry) => {
    expect(await search([entry], new Error('not asked'), true)).toMatchObject({ ...PASSED_OVER, asked: [] });
  });

  it.each<[string, unknown]>([
    ['as a list of pairs', [{ key: 'longhaul_key', value: KEY }]],
    ['as JSON in a text', JSON.stringify({ longhaul_key: KEY })],
    ['as a name', [{ [KEY]: 1 }]],
  ])('is looked into if it has the key %s', async (_, metadata) => {
    const entry = { id: 'j', created_at: 'x', metadata };
    expect(await search([entry], { ...SOUND, metadata: { longhaul_key: KEY } })).toMatchObject({
      jobs: ['j'],
    });
    expect(await search([entry], entry)).toMatchObject(IN_DOUBT);
    expect(await search([{ ...entry, id: null }], entry)).toMatchObject({ ...IN_DOUBT, asked: [] });
  });

  it('is what it is by itself, if it can be read there', async () => {
    const bare = { id: 'j', created_at: 'x' };
    expect(await search([bare], { ...SOUND, metadata: { longhaul_key: KEY } })).toMatchObject({
      jobs: ['j'],
    });
    expect(await search([bare], SOUND, true)).toMatchObject(PASSED_OVER);
    expect(await search([bare], { ...bare, metadata: 'team=red' }, true)).toMatchObject(PASSED_OVER);
    const gone = new ProviderError('ProviderNotFound', 'gone', { effect: 'refused' });
    expect(await search([bare], gone, true)).toMatchObject(PASSED_OVER);
  });

  it('without any metadata, there and by itself, is in doubt only while a create is unanswered', async () => {
    const bare = { id: 'j', created_at: 'last year' };
    expect(await search([bare], bare, false)).toMatchObject(PASSED_OVER);
    const doubt = await search([bare], bare, true);
    expect(doubt).toMatchObject(IN_DOUBT);
    expect(doubt.message).toContain("job j can't be read; delete it at the provider");
  });

  it('is in doubt whatever was sent, if nothing more can be known of it', async () => {
    const bare = { id: 'j', created_at: 'x' };
    expect(await search([null], undefined)).toMatchObject(IN_DOUBT);
    expect(await search([{}], undefined)).toMatchObject(IN_DOUBT);
    expect(await search([bare], undefined)).toMatchObject(IN_DOUBT);
    for (const other of [[], {}, 7, 'text', { ...bare, id: 'k' }]) {
      expect(await search([bare], other)).toMatchObject(IN_DOUBT);
    }
    const unreadable = new ProviderError('ProviderContract', 'compressed', { effect: 'unknown' });
    expect(await search([bare], unreadable)).toMatchObject(IN_DOUBT);
    expect(await search([bare], { ...bare, note: KEY })).toMatchObject(IN_DOUBT);
  });

  it('that has the key anywhere is never passed over', async () => {
    const place = fc.constantFrom('id', 'object', 'model', 'metadata', 'note', 'longhaul_key');
    const carrier = fc.constantFrom<(key: string) => unknown>(
      (key) => key,
      (key) => [key],
      (key) => [[{ pairs: `longhaul_key=${key};` }]],
      (key) => JSON.stringify({ longhaul_key: key }),
    );
    await fc.assert(
      fc.asyncProperty(place, carrier, fc.boolean(), async (name, carry, mayLack) => {
        const entry = { id: 'j', created_at: 'x', [name]: carry(KEY) };
        for (const byItself of [entry, { ...SOUND, metadata: null }, { id: 'j', metadata: null }]) {
          expect(await search([entry], byItself, mayLack)).toMatchObject(IN_DOUBT);
        }
      }),
    );
  });
});
