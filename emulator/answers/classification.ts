import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { countInputs } from './moderation.js';
import type { Random } from './random.js';

/** A classifier's targets are fixed when it is trained; these stand for any. */
const TARGETS = {
  sentiment: ['positive', 'neutral', 'negative'],
  topic: ['billing', 'technical', 'shipping', 'other'],
} as const;

function scoresFor(labels: readonly string[], random: Random): Record<string, number> {
  const weights = labels.map(() => random.float() ** 2 + 0.01);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(
    labels.map((label, index) => [label, Math.round(((weights[index] ?? 0) / sum) * 1e6) / 1e6]),
  );
}

export function answerClassification({ body, model, random }: AnswerInput): Fields {
  const inputs = countInputs(body);
  const id = random.hex(32);
  const results = Array.from({ length: inputs }, () =>
    Object.fromEntries(
      Object.entries(TARGETS).map(([target, labels]) => [target, { scores: scoresFor(labels, random) }]),
    ),
  );
  return { id, model, results };
}
