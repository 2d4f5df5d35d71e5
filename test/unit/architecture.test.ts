import { describe, expect, it } from 'vitest';
import { readText, repositorySources } from '../support/repository.js';
import { breachesOf, FREE_ROOMS, ROOM_RULES } from '../support/room-rules.js';

describe('the rooms', () => {
  it('import only what they may, and keep to the house rules', async () => {
    const sources = await repositorySources();
    expect(sources.size).toBeGreaterThan(100);
    expect(breachesOf(sources)).toEqual([]);
  });

  it.each(['batch', 'workflows'])('%s/ is compiled without the types of Node', async (room) => {
    expect(await readText(`${room}/tsconfig.json`)).toContain('"types": []');
  });

  it('are all described in ARCHITECTURE.md', async () => {
    const page = await readText('ARCHITECTURE.md');
    const missing = [...Object.keys(ROOM_RULES), ...FREE_ROOMS].filter(
      (room) => !page.includes(`\`${room}/\``),
    );
    expect(missing).toEqual([]);
  });
});

describe('the check', () => {
  const breaches = (files: Readonly<Record<string, string>>): string[] =>
    breachesOf(new Map(Object.entries(files)));

  it.each([
    ['batch/a.ts', "import { z } from 'zod';", 'batch/a.ts:1: batch/ may not import zod'],
    ['batch/a.ts', "import 'node:fs';", 'batch/a.ts:1: batch/ may not import node:fs'],
    [
      'batch/a.ts',
      "import type { B } from '../schemas/b.js';",
      'batch/a.ts:1: batch/ may not import schemas/b.ts',
    ],
    [
      'workflows/a.ts',
      "\nimport { b } from '../activities/b.js';",
      'workflows/a.ts:2: workflows/ may not import activities/b.ts at run time',
    ],
    [
      'workflows/a.ts',
      "const b = await import('../storage/b.js');",
      'workflows/a.ts:1: workflows/ may not import storage/b.ts at run time',
    ],
    [
      'providers/mistral/a.ts',
      "export * from '../../storage/b.js'; export const c = 1;",
      'providers/mistral/a.ts:1: providers/ may not import storage/b.ts at run time',
    ],
    [
      'providers/a.ts',
      "import '@temporalio/common';",
      'providers/a.ts:1: providers/ may not import @temporalio/common',
    ],
    ['providers/a.ts', "import { z } from 'zod';", 'providers/a.ts:1: providers/ may not import zod'],
    [
      'emulator/jobs/a.ts',
      "import type { B } from '../../schemas/b.js';",
      'emulator/jobs/a.ts:1: emulator/ may not import schemas/b.ts',
    ],
    [
      'client/a.ts',
      "import { b } from '../workflows/run-batch.js';",
      'client/a.ts:1: client/ may not import workflows/run-batch.ts at run time',
    ],
    ['storage/a.ts', "export const b = process.env['HOME'];", 'storage/a.ts: reads the environment'],
    ['client/a.ts', 'export default 1;', 'client/a.ts: has a default export'],
    [
      'storage/index.ts',
      "export * from './file.js';",
      "storage/index.ts: only passes on other files' exports and is no package entry",
    ],
    ['batch/a.ts', ';\n'.repeat(301), 'batch/a.ts: has 301 lines, more than 300'],
    ['test/unit/a.ts', ';\n'.repeat(501), 'test/unit/a.ts: has 501 lines, more than 500'],
    ['utils/a.ts', 'export const b = 1;', 'utils/a.ts: utils/ is no room of ARCHITECTURE.md'],
  ])('refuses in %s: %j', (path, source, breach) => {
    expect(breaches({ [path]: source })).toEqual([breach]);
  });

  it.each([
    ['workflows/a.ts', "import type { B } from '../activities/b.js';"],
    ['client/a.ts', "import { cancelSignal } from '../workflows/messages.js';"],
    ['client/index.ts', "export * from './start.js';"],
    ['providers/mistral/a.ts', "import { b } from '../errors.js'; import type { z } from 'zod';"],
    ['emulator/a.ts', "import fastify from 'fastify'; import 'node:fs/promises';"],
    ['cli/a.ts', "import '../emulator/b.js'; import 'anything'; process.env;"],
    ['batch/a.ts', ';\n'.repeat(300)],
  ])('allows in %s: %j', (path, source) => {
    expect(breaches({ [path]: source })).toEqual([]);
  });

  it('finds a circle of rooms, over others and by types too', () => {
    const circle = {
      'worker/a.ts': "import '../cli/b.js';",
      'cli/b.ts': "import type { C } from '../bench/c.js';",
      'bench/c.ts': "import '../worker/a.js';",
      'scripts/d.ts': "import '../cli/b.js';",
    };
    expect(breaches(circle)).toEqual(['rooms import each other in a circle: bench, cli, worker']);
  });
});
