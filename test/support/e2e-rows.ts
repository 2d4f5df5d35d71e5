import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import { resultLineSchema } from '../../schemas/result-line.js';
import type { ResultLine } from '../../schemas/result-line.js';
import { EmulatorClient, lines } from '../activity/emulator-support.js';

export interface ChatRow {
  readonly custom_id: string;
  readonly body: { readonly messages: readonly { readonly role: string; readonly content: string }[] };
}

/** Rows with a question each; the emulator's answers quote the first 60 characters of it. */
export function questions(count: number, mark = 'question'): ChatRow[] {
  return Array.from({ length: count }, (_, index) => ({
    custom_id: `${mark}-${index}`,
    body: {
      messages: [
        { role: 'user', content: `${mark} ${index}: what are ${index} and ${index * 7} together, and why?` },
      ],
    },
  }));
}

export async function writeRows(path: string, rows: readonly object[]): Promise<string> {
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const inputRowSchema = z.object({
  custom_id: z.string(),
  body: z.object({ messages: z.array(z.object({ role: z.string(), content: z.string() })) }),
});

export async function readRows(path: string): Promise<ChatRow[]> {
  return jsonLines(await readFile(path, 'utf8')).map((row) => inputRowSchema.parse(row));
}

export function parseResults(content: Buffer): ResultLine[] {
  return jsonLines(content.toString('utf8')).map((line) => resultLineSchema.parse(line));
}

function jsonLines(content: string): unknown[] {
  expect(content.endsWith('\n')).toBe(true);
  return content
    .slice(0, -1)
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

const answerSchema = z.object({
  choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]),
});

/** What the assistant said in a result that succeeded. */
export function answerOf({ response }: ResultLine): string {
  return answerSchema.parse(response?.body).choices[0].message.content;
}

/** The emulator quotes a question so; one that it was given no labels for. */
export function quoteOf({ body }: ChatRow): string {
  const question = body.messages.at(-1)?.content ?? '';
  const line = question.replaceAll(/\s+/g, ' ').trim();
  return line.length <= 60 ? `"${line}"` : `"${line.slice(0, 60).trimEnd()}…"`;
}

/**
 * The answer of each row by its custom_id, asked for without any of Longhaul's code: a plain upload, create and
 * download. Equal for the same seed, whatever else happened.
 */
export async function expectedAnswers(
  input: Buffer,
  options: { readonly seed: number; readonly model: string },
): Promise<Map<string, unknown>> {
  const client = await EmulatorClient.start({ seed: options.seed });
  try {
    const { output } = await client.run(input.toString('utf8'), { model: options.model });
    const answers = lines(output).map((line) => {
      const { custom_id, response } = answeredLineSchema.parse(line);
      return [custom_id, response.body] as const;
    });
    return new Map(answers);
  } finally {
    await client.close();
  }
}

const answeredLineSchema = z.object({
  custom_id: z.string(),
  response: z.object({ body: z.unknown() }),
});

const usageSchema = z.object({ usage: z.record(z.string(), z.unknown()) });

/** Sums of each numeric usage field over all results. */
export function usageSums(results: readonly ResultLine[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { response } of results) {
    for (const [field, value] of Object.entries(usageSchema.parse(response?.body).usage)) {
      if (typeof value === 'number') sums[field] = (sums[field] ?? 0) + value;
    }
  }
  return sums;
}
