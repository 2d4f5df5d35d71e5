import { describe, expect, it } from 'vitest';
import { factsOf } from '../support/imports-of.js';

function importsOf(source: string): string[] {
  return factsOf(source).imports.map(
    ({ specifier, typeOnly, line }) => `${line} ${typeOnly ? 'type' : 'run'} ${specifier}`,
  );
}

describe('what a source file imports', () => {
  it('is found in every form that loads a module', () => {
    const source = `import 'a';
import b from 'b';
import * as c from "c";
import d, {
  e as f,
} from 'd';
export * from 'e';
export * as g from 'f';
export { h, i as j } from 'g';
const k = await import('h');
const l = require('i');
import m = require('j');
const n = import(\`k\`);`;
    expect(importsOf(source)).toEqual([
      '1 run a',
      '2 run b',
      '3 run c',
      '6 run d',
      '7 run e',
      '8 run f',
      '9 run g',
      '10 run h',
      '11 run i',
      '12 run j',
      '13 run k',
    ]);
  });

  it('is marked when only types are imported, which inline types are not', () => {
    const source = `import type { A } from 'a';
import type * as B from 'b';
export type { C } from 'c';
export type * from 'd';
type E = typeof import('e');
import { type F } from 'f';
import type from 'g';`;
    expect(importsOf(source)).toEqual([
      '1 type a',
      '2 type b',
      '3 type c',
      '4 type d',
      '5 type e',
      '6 run f',
      '7 run g',
    ]);
  });

  it('is not looked for in comments, strings, templates and regular expressions', () => {
    const source = `// import 'a';
/* import 'b'; */
const text = "import 'c'" + 'export * from "d"';
const template = \`import 'e' \${nested(\`import 'f' \${{ a: 1 }.a}\`)} import 'g'\`;
const pattern = /['"\`/*]/.test(x) || /[/'"]import 'h'/u;
const half = a / 2; import 'i';
import.meta.url; loader.import('j'); export type K = 'from';`;
    expect(importsOf(source)).toEqual(['6 run i']);
  });
});

describe('the other facts of a source file', () => {
  it.each([
    ['export default 1;', true],
    ['const a = 1; export { a as default };', true],
    ['import { default as a } from "a"; export { a };', false],
    ['switch (a) { default: b(); }', false],
  ])('default export of %s: %s', (source, expected) => {
    expect(factsOf(source).defaultExport).toBe(expected);
  });

  it.each([
    ["export { a } from './a.js';", true],
    ["/** Words. */ import './x.js'; export * from './a.js'; export type { B } from './b.js';", true],
    ["export { a } from './a.js'; export const b = 1;", false],
    ["import { a } from './a.js'; a();", false],
  ])('barrel: %s: %s', (source, expected) => {
    expect(factsOf(source).barrel).toBe(expected);
  });

  it.each([
    ["process.env['A']", true],
    ['const { env } = process;', true],
    ["globalThis.process['env']", true],
    ["import { env } from 'node:process';", true],
    ['process.exitCode = 1; // process.env', false],
    ['process.stdout.write(env);', false],
  ])('reads the environment: %s: %s', (source, expected) => {
    expect(factsOf(source).readsEnvironment).toBe(expected);
  });

  it('counts lines as an editor does', () => {
    expect(factsOf('a;\nb;\n').lines).toBe(2);
    expect(factsOf('a;\nb;').lines).toBe(2);
  });
});
