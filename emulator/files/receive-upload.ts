import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

import { ApiError, fileTooLarge, validationError } from '../errors.js';
import type { ValidationIssue } from '../errors.js';
import { LineIndex } from '../rows/line-index.js';
import { PURPOSES, VISIBILITIES } from './stored-file.js';
import { throttled } from './throttle.js';

/** A form that has arrived whole. Its bytes are at `path`, for the caller to keep or to remove. */
export interface ReceivedUpload {
  readonly path: string;
  readonly filename: string;
  readonly mimetype: string;
  readonly bytes: number;
  readonly numLines: number;
  readonly purpose: string;
  readonly visibility: string;
  readonly expiryHours: number | null;
}

export interface ReceiveOptions {
  readonly directory: string;
  readonly maxFileBytes: number;
  /** Fires when the client has gone. */
  readonly gone: AbortSignal;
  readonly bytesPerSecond: number | null;
}

interface SavedFile {
  readonly path: string;
  readonly filename: string;
  readonly mimetype: string;
  readonly index: LineIndex;
}

function issue(field: string, msg: string, type: string): ValidationIssue {
  return { loc: ['body', field], msg, type };
}

async function* counted(source: AsyncIterable<Uint8Array>, index: LineIndex): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    index.push(chunk);
    yield chunk;
  }
  index.end();
}

async function save(part: MultipartFile, options: ReceiveOptions): Promise<SavedFile> {
  const path = join(options.directory, `upload-${randomUUID()}`);
  const index = new LineIndex({ keep: false });
  const source = options.bytesPerSecond === null ? part.file : throttled(part.file, options.bytesPerSecond);
  try {
    await pipeline(counted(source, index), createWriteStream(path), { signal: options.gone });
    if (part.file.truncated) throw new ApiError(fileTooLarge(options.maxFileBytes));
    return { path, filename: part.filename, mimetype: part.mimetype, index };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function choice(
  fields: ReadonlyMap<string, string>,
  name: string,
  allowed: readonly string[],
  fallback: string,
): string {
  const value = fields.get(name) ?? fallback;
  if (allowed.includes(value)) return value;
  const msg = `Input should be ${allowed.map((item) => `'${item}'`).join(', ')}`;
  throw new ApiError(validationError([issue(name, msg, 'enum')]));
}

function expiryHours(fields: ReadonlyMap<string, string>): number | null {
  const text = fields.get('expiry');
  if (text === undefined || text === '') return null;
  const hours = Number(text);
  if (Number.isInteger(hours) && hours > 0) return hours;
  throw new ApiError(validationError([issue('expiry', 'Input should be a valid integer', 'int_parsing')]));
}

/** `.jsonl` is not in the usual tables of MIME types, so clients send it as any bytes. */
function mimetypeOf(file: SavedFile): string {
  return file.filename.endsWith('.jsonl') ? 'application/jsonl' : file.mimetype;
}

function describe(file: SavedFile, fields: ReadonlyMap<string, string>): ReceivedUpload {
  return {
    path: file.path,
    filename: file.filename,
    mimetype: mimetypeOf(file),
    bytes: file.index.bytes,
    numLines: file.index.count,
    purpose: choice(fields, 'purpose', PURPOSES, 'fine-tune'),
    visibility: choice(fields, 'visibility', VISIBILITIES, 'workspace'),
    expiryHours: expiryHours(fields),
  };
}

/**
 * Streams an upload form to disk. The file part may come before the fields that describe it. Leaves nothing behind if
 * it throws: ApiError for a bad form, the stream's error if the client goes away.
 */
export async function receiveUpload(
  request: FastifyRequest,
  options: ReceiveOptions,
): Promise<ReceivedUpload> {
  if (!request.isMultipart()) {
    throw new ApiError(validationError([issue('file', 'Field required', 'missing')]));
  }
  const fields = new Map<string, string>();
  let saved: SavedFile | null = null;
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        fields.set(part.fieldname, String(part.value));
      } else if (part.fieldname === 'file' && saved === null) {
        saved = await save(part, options);
      } else {
        part.file.resume();
      }
    }
    if (saved === null) throw new ApiError(validationError([issue('file', 'Field required', 'missing')]));
    options.gone.throwIfAborted();
    return describe(saved, fields);
  } catch (error) {
    if (saved !== null) await rm(saved.path, { force: true });
    throw error;
  }
}
