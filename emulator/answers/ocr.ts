import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { InvalidRowBody, missingField } from './invalid-row-body.js';
import type { Random } from './random.js';
import { drawSentences, drawWords } from './words.js';

function pageNumbers(body: Fields, random: Random): readonly number[] {
  const asked: unknown = body['pages'];
  const numbers = Array.isArray(asked) ? asked.filter((page: unknown) => typeof page === 'number') : [];
  return numbers.length > 0 ? numbers : Array.from({ length: 1 + random.int(3) }, (_, index) => index);
}

function page(index: number, random: Random): Fields {
  return {
    index,
    markdown: `# ${drawWords(random, 3)}\n\n${drawSentences(random, 3)}`,
    images: [],
    dimensions: { dpi: 200, height: 2200, width: 1700 },
  };
}

function documentBytes(document: Fields, random: Random): number {
  const url: unknown = document['image_url'] ?? document['document_url'];
  const data = typeof url === 'string' ? url.indexOf(';base64,') : -1;
  return typeof url === 'string' && data !== -1
    ? Math.floor(((url.length - data - 8) * 3) / 4)
    : 20_000 + random.int(500_000);
}

/** Billed by the page: the body has `usage_info`, and neither id, object nor usage. */
export function answerOcr({ body, model, random }: AnswerInput): Fields {
  const document: unknown = body['document'];
  if (document === undefined) throw missingField('document');
  if (!isFields(document)) {
    throw new InvalidRowBody(['body', 'document'], 'Input should be a valid dictionary', 'dict_type');
  }
  const pages = pageNumbers(body, random).map((index) => page(index, random));
  return {
    pages,
    // The real API answers an alias with the model behind it.
    model: model === 'mistral-ocr-latest' ? 'mistral-ocr-2505-completion' : model,
    usage_info: { pages_processed: pages.length, doc_size_bytes: documentBytes(document, random) },
    document_annotation: null,
  };
}
