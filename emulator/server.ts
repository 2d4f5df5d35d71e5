import multipart from '@fastify/multipart';
import fastify from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { ApiError, genericError, unknownRoute, validationError } from './errors.js';
import type { ErrorReply } from './errors.js';
import { addExchangeHooks, refuseUnreadable, sendError } from './exchange-hooks.js';
import { tryParseJson } from './json.js';
import { addControlRoutes } from './routes/control.js';
import { addFileRoutes } from './routes/files.js';
import { addJobRoutes } from './routes/jobs.js';
import type { EmulatorState } from './state.js';

/** Room for ten thousand inline requests. Uploads are streamed and have their own limit. */
const MOST_JSON_BYTES = 256 * 1024 * 1024;

function replyToError(error: unknown): ErrorReply {
  if (error instanceof ApiError) return error.reply;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof status !== 'number' || status >= 500) {
    return genericError(500, `Emulator error: ${message}`, 'internal_server_error', '1000');
  }
  return genericError(status, message, 'invalid_request_error', '1400');
}

async function parseJson(_request: FastifyRequest, body: string | Buffer): Promise<unknown> {
  const text = body.toString();
  if (text.trim() === '') return undefined;
  const parsed = tryParseJson(text);
  if (parsed === undefined) {
    throw new ApiError(
      validationError([{ loc: ['body', 0], msg: 'JSON decode error', type: 'json_invalid' }]),
    );
  }
  return parsed;
}

/** The HTTP server over a state, not yet listening. */
export async function createServer(state: EmulatorState): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: MOST_JSON_BYTES,
    exposeHeadRoutes: false,
    // Held requests and slow downloads must not keep a test from ending.
    forceCloseConnections: true,
    logger: false,
    frameworkErrors: (error, request, reply) => refuseUnreadable(state, request, reply, replyToError(error)),
  });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
  app.setErrorHandler((error, _request, reply) => sendError(reply, replyToError(error)));
  app.setNotFoundHandler((_request, reply) => sendError(reply, unknownRoute()));
  await app.register(multipart, {
    limits: { fileSize: state.settings.maxFileBytes, fieldSize: 1024 * 1024 },
    throwFileSizeLimit: false,
  });
  addExchangeHooks(app, state);
  addJobRoutes(app, state);
  addFileRoutes(app, state);
  addControlRoutes(app, state);
  return app;
}
