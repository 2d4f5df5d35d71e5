import { styleText } from 'node:util';
import type { BatchPhase } from '../batch/progress.js';

/** How parts of a text stand out. Colour is never the only carrier of a meaning. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  bar(text: string): string;
  warn(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  phase(phase: BatchPhase): string;
}

const same = (text: string): string => text;

export const PLAIN: Paint = {
  bold: same,
  dim: same,
  bar: same,
  warn: same,
  good: same,
  bad: same,
  phase: same,
};

const ANSI: Paint = {
  bold: (text) => styleText('bold', text),
  dim: (text) => styleText('dim', text),
  bar: (text) => styleText('green', text),
  warn: (text) => styleText('yellow', text),
  good: (text) => styleText('green', text),
  bad: (text) => styleText('red', text),
  phase: (phase) => styleText(phase.startsWith('waiting') || phase === 'paused' ? 'yellow' : 'cyan', phase),
};

/** Colours for a terminal that has them and a person who has not said no (https://no-color.org). */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Paint {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return stream.isTTY && !refused ? ANSI : PLAIN;
}
