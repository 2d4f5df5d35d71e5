import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { assistantText } from './chat-text.js';
import { drawnCreated, textOf, tokensOf, usageOf } from './common.js';
import type { Message } from './common.js';
import { missingField } from './invalid-row-body.js';
import { isFields } from '../json.js';

function messagesFrom(body: Fields): readonly Message[] {
  const inputs: unknown = body['inputs'];
  if (inputs === undefined) throw missingField('inputs');
  const instructions = typeof body['instructions'] === 'string' ? body['instructions'] : '';
  const system = instructions === '' ? [] : [{ role: 'system', text: instructions }];
  if (!Array.isArray(inputs)) return [...system, { role: 'user', text: textOf(inputs) }];
  const entries = inputs.filter(isFields).map((entry) => ({
    role: typeof entry['role'] === 'string' ? entry['role'] : 'user',
    text: textOf(entry['content']),
  }));
  return [...system, ...entries];
}

export function answerConversation({ body, model, random }: AnswerInput): Fields {
  const messages = messagesFrom(body);
  const at = new Date(drawnCreated(random) * 1000).toISOString();
  const conversationId = `conv_${random.hex(32)}`;
  const id = `msg_${random.hex(32)}`;
  const completionArgs = isFields(body['completion_args']) ? body['completion_args'] : {};
  const content = assistantText(messages, completionArgs['response_format'], random);
  const prompt = messages.reduce((sum, message) => sum + tokensOf(message.text) + 4, 0);
  return {
    object: 'conversation.response',
    conversation_id: conversationId,
    outputs: [
      {
        object: 'entry',
        type: 'message.output',
        created_at: at,
        completed_at: at,
        id,
        agent_id: null,
        model,
        role: 'assistant',
        content,
      },
    ],
    usage: { ...usageOf(prompt, tokensOf(content)), connector_tokens: null, connectors: null },
  };
}
