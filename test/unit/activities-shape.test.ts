import { expect, it } from 'vitest';
import { readText, repositorySources } from '../support/repository.js';

const MADE = /^import \{ (\w+) \} from '\.\/([\w-]+)\.js';$/gm;

/** Name and file of each activity, by what `createActivities` hands out. */
async function activities(): Promise<[name: string, file: string][]> {
  const text = await readText('activities/create-activities.ts');
  const files = [...text.matchAll(MADE)].map(([, name = '', file = '']) => [name, file] as const);
  const names = [...text.matchAll(/^ {4}(\w+): \(/gm)].map(([, name = '']) => name);
  return names.map((name) => [name, files.find(([known]) => known === name)?.[1] ?? '']);
}

it('each activity says how it stands to being repeated, retried and cancelled', async () => {
  const all = await activities();
  expect(all.length).toBe(12);
  for (const [name, file] of all) {
    const text = await readText(`activities/${file}.ts`);
    const [before = ''] = text.split(new RegExp(`^export (?:async )?function ${name}\\(`, 'm'));
    const comment = /\/\*\*(?:(?!\*\/)[^])*\*\/\n$/.exec(before)?.[0] ?? '';
    for (const word of ['Idempotency', 'Retries', 'Cancellation']) {
      expect(comment, `${name}: *${word}*`).toMatch(new RegExp(`^ \\* \\*${word}\\*: .`, 'm'));
    }
  }
});

it('no activity keeps anything from one call for another', async () => {
  const sources = [...(await repositorySources())].filter(([path]) => path.startsWith('activities/'));
  expect(sources.length).toBeGreaterThan(20);
  for (const [path, text] of sources) {
    expect(text, path).not.toMatch(
      /^(?:export )?(?:let|var) |^(?:export )?const \w+[^\n]*= (?:new |\[\];|\{\};)/m,
    );
  }
});
