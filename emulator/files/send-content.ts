import { open } from 'node:fs/promises';
import { pipeline as pipe, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Fault } from '../faults/fault.js';
import { contextOf } from '../request-context.js';
import type { EmulatorState } from '../state.js';
import type { StoredFile } from './stored-file.js';
import { throttled } from './throttle.js';

/** Any other content type is refused by the official SDK. */
const CONTENT_TYPE = 'application/octet-stream';
const NEWLINE = 0x0a;
/** As far as a cut looks back for the end of a line. */
const MOST_LINE_BYTES = 1024 * 1024;

type Truncation = Extract<Fault, { readonly type: 'truncatedDownload' }>;

/**
 * The file is opened here and not by the stream: while the request is held nobody listens to that, and an error that
 * nobody hears ends the process.
 */
async function contentStream(file: StoredFile, bytes: number, faults: readonly Fault[]): Promise<Readable> {
  if (bytes === 0) return Readable.from([]);
  const stream = (await open(file.path, 'r')).createReadStream({ end: bytes - 1 });
  const slow = faults.find((fault) => fault.type === 'slowDownload');
  return slow === undefined ? stream : Readable.from(throttled(stream, slow.bytesPerSecond));
}

async function bytesToSend(file: StoredFile, truncated: Truncation | undefined): Promise<number> {
  if (truncated === undefined) return file.bytes;
  const bytes = Math.floor(file.bytes * truncated.share);
  return truncated.atLineEnd ? lineEndBefore(file, bytes) : bytes;
}

/** Bytes up to and with the last line end among the first `bytes`. */
async function lineEndBefore(file: StoredFile, bytes: number): Promise<number> {
  const handle = await open(file.path, 'r');
  try {
    const from = Math.max(0, bytes - MOST_LINE_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes - from), 0, bytes - from, from);
    return from + buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
  } finally {
    await handle.close();
  }
}

/** Announces the whole file, sends a part of it and closes the connection. */
async function sendBrokenOff(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
  stream: Readable,
): Promise<FastifyReply> {
  const context = contextOf(request);
  context.cutByUs = true;
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': CONTENT_TYPE, 'content-length': file.bytes });
  reply.raw.flushHeaders();
  state.journal.update(context.entry, { status: 200 });
  await pipeline(stream, reply.raw, { end: false }).catch(() => undefined);
  // Ends the connection once what was written has gone out; destroying it would drop the last bytes too.
  request.raw.socket.end();
  return reply;
}

/** Streams a file's bytes, with the faults that struck the request. */
export async function sendContent(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
): Promise<FastifyReply> {
  const { faults, entry } = contextOf(request);
  state.journal.update(entry, { effect: { downloaded: file.id, bytes: file.bytes } });
  const truncated = faults.find((fault) => fault.type === 'truncatedDownload');
  const bytes = await bytesToSend(file, truncated);
  const stream = await contentStream(file, bytes, faults);
  if (truncated?.ending === 'close') return sendBrokenOff(state, request, reply, file, stream);
  reply.header('content-type', CONTENT_TYPE);
  if (faults.some((fault) => fault.type === 'gzipDownload')) {
    return reply.header('content-encoding', 'gzip').send(gzipped(stream));
  }
  if (truncated?.ending !== 'chunked') reply.header('content-length', bytes);
  return reply.send(stream);
}

function gzipped(stream: Readable): Readable {
  // Whichever ends early ends the other; its client sees it.
  return pipe(stream, createGzip(), () => undefined);
}
