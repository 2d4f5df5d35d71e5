import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Fault } from '../faults/fault.js';
import { contextOf } from '../request-context.js';
import type { EmulatorState } from '../state.js';
import type { StoredFile } from './stored-file.js';
import { throttled } from './throttle.js';

/** Any other content type is refused by the official SDK. */
const CONTENT_TYPE = 'application/octet-stream';

function contentStream(file: StoredFile, bytes: number, faults: readonly Fault[]): Readable {
  if (bytes === 0) return Readable.from([]);
  const stream = createReadStream(file.path, { end: bytes - 1 });
  const slow = faults.find((fault) => fault.type === 'slowDownload');
  return slow === undefined ? stream : Readable.from(throttled(stream, slow.bytesPerSecond));
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
  const bytes = truncated === undefined ? file.bytes : Math.floor(file.bytes * truncated.share);
  const stream = contentStream(file, bytes, faults);
  if (truncated?.ending === 'close') return sendBrokenOff(state, request, reply, file, stream);
  return reply.header('content-type', CONTENT_TYPE).header('content-length', bytes).send(stream);
}
