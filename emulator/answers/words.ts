import type { Random } from './random.js';

const WORDS = [
  'careful',
  'clear',
  'common',
  'complete',
  'context',
  'detail',
  'different',
  'early',
  'example',
  'general',
  'important',
  'likely',
  'method',
  'number',
  'order',
  'practical',
  'present',
  'question',
  'reason',
  'result',
  'simple',
  'source',
  'step',
  'strong',
  'summary',
  'support',
  'typical',
  'useful',
  'value',
  'whole',
] as const;

const SENTENCES = [
  'The {w} point here is the {w} {w}.',
  'A {w} reading suggests a {w} {w}.',
  'In short, the {w} depends on the {w}.',
  'It helps to start with the {w} and then check each {w}.',
  'Most of it follows from the {w} {w}.',
  'For a {w} case, keep the {w} in mind.',
] as const;

export function drawWords(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.pick(WORDS)).join(' ');
}

export function drawSentences(random: Random, count: number): string {
  const sentences = Array.from({ length: count }, () =>
    random.pick(SENTENCES).replaceAll('{w}', () => random.pick(WORDS)),
  );
  return sentences.join(' ');
}
