import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { limitTokens } from './chat.js';
import { drawnCreated, positiveOption, textsOf, tokensOf, usageOf } from './common.js';
import { drawWords } from './words.js';

export function answerFim({ body, model, random }: AnswerInput): Fields {
  const prompt = textsOf(body, 'prompt').join('\n');
  const suffix = typeof body['suffix'] === 'string' ? body['suffix'] : '';
  const id = random.hex(32);
  const created = drawnCreated(random);
  const name = drawWords(random, 2).replace(' ', '_');
  const code = `    ${name} = ${random.int(1000)}\n    return ${name}\n`;
  const limited = limitTokens(code, positiveOption(body, 'max_tokens', Number.POSITIVE_INFINITY));
  return {
    id,
    object: 'chat.completion',
    model,
    usage: usageOf(tokensOf(prompt + suffix), tokensOf(limited.text)),
    created,
    choices: [
      {
        index: 0,
        finish_reason: limited.finish,
        message: { role: 'assistant', content: limited.text, tool_calls: null },
      },
    ],
  };
}
