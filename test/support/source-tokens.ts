/** A token of TypeScript source, as far as finding imports and exports needs them. */
export interface Token {
  readonly kind: 'word' | 'string' | 'mark';
  /** The word, the string's content without quotes, or one character. */
  readonly text: string;
  readonly line: number;
}

const WORD = /[\w$#]+/y;
const BLANK = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const STRING = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
/** Up to its end or to the next `${`. */
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
/** Words after which `/` begins a regular expression, not a division. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'yield',
  'await',
  'throw',
  'else',
  'do',
]);

/**
 * Splits source into words, strings and single characters, without comments, templates' text and regular
 * expressions. TypeScript 7 has no compiler API, and a text search takes comments and strings for code.
 */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open `${`: how many braces are open in it. */
  const templates: number[] = [];
  let at = 0;
  let line = 1;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0] ?? null;
    if (text === null) return null;
    at += text.length;
    return text;
  };
  const push = (kind: Token['kind'], text: string): void => void tokens.push({ kind, text, line });

  while (at < source.length) {
    const start = at;
    const character = source.charAt(at);
    const depth = templates.at(-1);
    if (take(BLANK) !== null || (beginsRegex(tokens.at(-1)) && take(REGEX) !== null)) {
      line += newlines(source.slice(start, at));
      continue;
    }
    const word = take(WORD);
    const string = word === null ? take(STRING) : null;
    if (word !== null) push('word', word);
    else if (string !== null) push('string', string.slice(1, -1));
    else if (character === '`' || (character === '}' && depth === 0)) {
      at += 1;
      if (character === '}') templates.pop();
      const text = take(TEMPLATE);
      if (text === null) throw new Error(`line ${line}: a template literal has no end`);
      if (text.endsWith('${')) templates.push(0);
      else push('string', text.slice(0, -1));
    } else {
      at += 1;
      push('mark', character);
      if (depth !== undefined) templates.push((templates.pop() ?? 0) + braceStep(character));
    }
    line += newlines(source.slice(start, at));
  }
  return tokens;
}

function beginsRegex(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === 'word') return BEFORE_REGEX.has(previous.text);
  return previous.kind === 'mark' && !')]}'.includes(previous.text);
}

function braceStep(character: string): number {
  if (character === '{') return 1;
  return character === '}' ? -1 : 0;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
