import type { Random } from './random.js';

const LIST = String.raw`([^\n.;]*(?:\n\s*(?:[-*•]|\d+[.)])[^\n]*)*)`;
/** "one of: a, b", "Categories: a, b", "labels:" before a bullet list. */
const AFTER_COLON = String.raw`\b(?:one of|categories|labels|classes|topics|options|choose from|choose between)\b[^:\n.]{0,60}:\s*${LIST}`;
/** "Reply with one of a, b or c". Without such a verb, "one of his apples and pears" would be a choice too. */
const AFTER_VERB = String.raw`\b(?:(?:answer|assign|choose|classify|label|output|pick|reply|respond|return|say|select|use)\b[^:\n.]{0,60}?\bone of|choose from|choose between)\b\s*${LIST}`;
const CHOICES = [new RegExp(AFTER_COLON, 'giu'), new RegExp(AFTER_VERB, 'giu')];
const SEPARATOR = /[,\n/|]|\bor\b|\band\b/u;
const LABEL = /^[\p{L}\p{N}][\p{L}\p{N}_&+-]*(?: [\p{L}\p{N}_&+-]+){0,2}$/u;
const MOST_LABELS = 50;

/** Words that speak for a label, for the labels that example prompts use most. */
const HINTS: Readonly<Record<string, RegExp>> = {
  account: /\b(?:account|log ?in|sign ?in|password|profile|two-factor|2fa|locked)\b/iu,
  billing: /\b(?:bill|invoice|charged?|payment|paid|card|subscription|vat|receipt|price)\b/iu,
  bug: /\b(?:bug|crash\w*|error|freez\w*|broken|not work\w*|fails?|blank|stuck)\b/iu,
  cancellation: /\b(?:cancel\w*|terminate|close my)\b/iu,
  complaint: /\b(?:complain\w*|unacceptable|disappointed|terrible|rude|worst)\b/iu,
  delivery: /\b(?:deliver\w*|parcel|package|courier|arrived?|tracking)\b/iu,
  feature: /\b(?:feature|would be (?:nice|great)|please add|could you add|wish|support for)\b/iu,
  negative: /\b(?:bad|terrible|awful|hate|worst|disappoint\w*|poor|broken)\b/iu,
  positive: /\b(?:good|great|love|excellent|amazing|perfect|thank\w*|happy)\b/iu,
  refund: /\b(?:refund|money back|reimburse\w*)\b/iu,
  return: /\b(?:return|send (?:it )?back|exchange)\b/iu,
  security: /\b(?:security|phishing|hack\w*|breach|suspicious|fraud)\b/iu,
  shipping: /\b(?:ship\w*|deliver\w*|parcel|package|courier|arrived?|tracking|customs)\b/iu,
  spam: /\b(?:prize|winner|click here|free money|offer)\b/iu,
};

function cleanLabel(raw: string): string {
  return raw
    .trim()
    .replace(/^(?:[-*•]|\d+[.)])\s*/u, '')
    .replace(/^["'`“”‘’([{<]+|["'`“”‘’)\]}>:]+$/gu, '')
    .trim();
}

/** A choice that a prompt asks for: its labels, in order, and the words that give them. */
export interface Choice {
  readonly labels: readonly [string, ...string[]];
  readonly words: string;
}

export function findChoice(prompt: string): Choice | null {
  for (const match of CHOICES.flatMap((pattern) => [...prompt.matchAll(pattern)])) {
    const listed = (match[1] ?? '').split(SEPARATOR).map(cleanLabel);
    const [first, ...rest] = new Set(listed.filter((label) => LABEL.test(label)));
    if (first !== undefined && rest.length >= 1 && rest.length < MOST_LABELS) {
      return { labels: [first, ...rest], words: match[0] };
    }
  }
  return null;
}

/** A label that the text speaks for, apart from the words that give the labels, or else a drawn one. */
export function chooseLabel({ labels, words }: Choice, fullText: string, random: Random): string {
  const text = fullText.replace(words, () => '');
  const drawn = random.pick(labels);
  const spokenFor = labels.filter((label) => {
    const name = label.toLowerCase();
    const hint = Object.entries(HINTS).find(([key]) => name.includes(key));
    return text.toLowerCase().includes(name) || hint?.[1].test(text) === true;
  });
  return spokenFor.includes(drawn) ? drawn : (spokenFor[0] ?? drawn);
}
