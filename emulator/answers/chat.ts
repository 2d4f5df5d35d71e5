import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { assistantText } from './chat-text.js';
import { drawnCreated, messagesOf, positiveOption, tokensOf, usageOf } from './common.js';
import { sampleOf } from './json-sample.js';
import type { Random } from './random.js';

const MOST_CHOICES = 16;

interface Choice {
  readonly tokens: number;
  readonly fields: Fields;
}

/** The content cut to the token limit, and whether it had to be cut. */
export function limitTokens(
  text: string,
  maxTokens: number,
): { readonly text: string; readonly finish: string } {
  return tokensOf(text) <= maxTokens
    ? { text, finish: 'stop' }
    : { text: text.slice(0, maxTokens * 4), finish: 'length' };
}

/** The function that the request forces the model to call, if it does. */
function forcedTool(body: Fields): Fields | null {
  const tools: unknown = body['tools'];
  const choice = body['tool_choice'];
  const forced = choice === 'any' || choice === 'required' || isFields(choice);
  if (!forced || !Array.isArray(tools)) return null;
  const tool: unknown = tools[0];
  return isFields(tool) && isFields(tool['function']) ? tool['function'] : null;
}

function toolChoice(index: number, tool: Fields, random: Random): Choice {
  const parameters = isFields(tool['parameters']) ? tool['parameters'] : {};
  const args = JSON.stringify(sampleOf(parameters, random, parameters));
  const call = {
    id: random.hex(9),
    type: 'function',
    function: { name: tool['name'], arguments: args },
    index: 0,
  };
  return {
    tokens: tokensOf(args),
    fields: {
      index,
      finish_reason: 'tool_calls',
      message: { role: 'assistant', content: '', tool_calls: [call] },
    },
  };
}

function textChoice(index: number, text: string, maxTokens: number): Choice {
  const limited = limitTokens(text, maxTokens);
  return {
    tokens: tokensOf(limited.text),
    fields: {
      index,
      finish_reason: limited.finish,
      message: { role: 'assistant', content: limited.text, tool_calls: null },
    },
  };
}

export function answerChat({ body, model, random }: AnswerInput): Fields {
  const messages = messagesOf(body, 'messages');
  const maxTokens = positiveOption(body, 'max_tokens', Number.POSITIVE_INFINITY);
  const id = random.hex(32);
  const created = drawnCreated(random);
  const tool = forcedTool(body);
  const choices = Array.from({ length: Math.min(positiveOption(body, 'n', 1), MOST_CHOICES) }, (_, index) =>
    tool === null
      ? textChoice(index, assistantText(messages, body['response_format'], random), maxTokens)
      : toolChoice(index, tool, random),
  );
  const prompt = messages.reduce((sum, message) => sum + tokensOf(message.text) + 4, 0);
  const completion = choices.reduce((sum, choice) => sum + choice.tokens, 0);
  return {
    id,
    object: 'chat.completion',
    model,
    usage: usageOf(prompt, completion),
    created,
    choices: choices.map((choice) => choice.fields),
  };
}
