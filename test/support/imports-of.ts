import { tokensOf, type Token } from './source-tokens.js';

export interface Import {
  readonly specifier: string;
  /** Gone from the compiled JavaScript. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  readonly lines: number;
  readonly defaultExport: boolean;
  /** Passes on what other files export, and declares nothing of its own. */
  readonly barrel: boolean;
  readonly readsEnvironment: boolean;
}

/** What the architecture rules need to know of a source file. */
export function factsOf(source: string): SourceFacts {
  const tokens = tokensOf(source);
  const imports = tokens.flatMap((_, index) => importAt(tokens, index) ?? []);
  return {
    imports,
    lines: source.replace(/\n$/, '').split('\n').length,
    defaultExport: hasDefaultExport(tokens),
    barrel: isBarrel(tokens),
    readsEnvironment: readsEnvironment(tokens, imports),
  };
}

function importAt(tokens: readonly Token[], index: number): Import | null {
  const keyword = tokens[index];
  const next = tokens[index + 1];
  if (keyword?.kind !== 'word' || next === undefined || isMember(tokens, index)) return null;
  if (keyword.text === 'import' && next.kind === 'string') return found(next, false);
  if (keyword.text === 'import' && next.text === '(') {
    const argument = tokens[index + 2];
    // `typeof import('x')` and `import('x').T` name types; the second can't be told from a call, so it counts as one.
    if (argument?.kind === 'string') return found(argument, tokens[index - 1]?.text === 'typeof');
  }
  if (keyword.text === 'require' && next.text === '(') {
    const argument = tokens[index + 2];
    if (argument?.kind === 'string') return found(argument, false);
  }
  if (keyword.text === 'import') return fromClause(tokens, index);
  if (keyword.text === 'export' && ['{', '*', 'type'].includes(next.text)) return fromClause(tokens, index);
  return null;
}

/** `import a, { b as c } from 'x'`, `export type * as n from 'x'`: only these words and marks before the `from`. */
function fromClause(tokens: readonly Token[], index: number): Import | null {
  for (let at = index + 1; at < tokens.length; at += 1) {
    const token = tokens[at];
    const after = tokens[at + 1];
    if (token === undefined || token.kind === 'string') return null;
    if (token.text === 'from' && after?.kind === 'string') return found(after, isTypeOnly(tokens, index, at));
    if (token.kind === 'mark' && !'{},*'.includes(token.text)) return null;
  }
  return null;
}

/** `import { type A }` stays as `import {}` under verbatimModuleSyntax, so only the leading `type` counts. */
function isTypeOnly(tokens: readonly Token[], index: number, from: number): boolean {
  return tokens[index + 1]?.text === 'type' && from > index + 2;
}

function found({ text, line }: Token, typeOnly: boolean): Import {
  return { specifier: text, typeOnly, line };
}

function isMember(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1]?.text === '.';
}

function hasDefaultExport(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind, text }, index) => {
    if (kind !== 'word' || text !== 'default') return false;
    const before = tokens[index - 1]?.text;
    return before === 'export' || (before === 'as' && isInExport(tokens, index));
  });
}

function isInExport(tokens: readonly Token[], index: number): boolean {
  const open = tokens.findLastIndex(({ text }, at) => at < index && text === '{');
  return tokens[open - 1]?.text === 'export';
}

function isBarrel(tokens: readonly Token[]): boolean {
  const exports = tokens.flatMap(({ kind, text }, index) =>
    kind === 'word' && text === 'export' && !isMember(tokens, index)
      ? [fromClause(tokens, index) !== null]
      : [],
  );
  return exports.length > 0 && exports.every((passedOn) => passedOn);
}

function readsEnvironment(tokens: readonly Token[], imports: readonly Import[]): boolean {
  if (imports.some(({ specifier }) => /^(node:)?process$/.test(specifier))) return true;
  return tokens.some(({ kind, text }, index) => {
    if (kind !== 'word' || text !== 'process') return false;
    const [next, name] = [tokens[index + 1], tokens[index + 2]];
    if (next?.text === '.') return name?.text === 'env';
    if (next?.text === '[' || next?.text === '?') return true;
    return tokens[index - 1]?.text === '=';
  });
}
