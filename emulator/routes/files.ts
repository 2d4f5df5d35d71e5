import { rm } from 'node:fs/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { ApiError, forbidden, notFound } from '../errors.js';
import { breakOff, holdRequest } from '../faults/exchange.js';
import { receiveUpload } from '../files/receive-upload.js';
import type { ReceivedUpload } from '../files/receive-upload.js';
import { sendContent } from '../files/send-content.js';
import { fileObject, PURPOSES, sampleTypeFor, SOURCES } from '../files/stored-file.js';
import type { ListLag, StoredFile } from '../files/stored-file.js';
import type { Fields } from '../json.js';
import {
  booleanParam,
  integerParam,
  last,
  listParam,
  pageOf,
  pageParams,
  queryOf,
  uuidParam,
} from '../query.js';
import { contextOf, workspaceOf } from '../request-context.js';
import type { EmulatorState } from '../state.js';

const HOUR_MS = 3_600_000;

function store(
  state: EmulatorState,
  workspace: string,
  received: ReceivedUpload,
  listLag: ListLag | null,
): StoredFile {
  const now = state.settings.now();
  return state.files.add({
    workspace,
    path: received.path,
    bytes: received.bytes,
    createdAt: now,
    filename: received.filename,
    purpose: received.purpose,
    sampleType: sampleTypeFor(received.purpose),
    source: 'upload',
    numLines: received.purpose === 'batch' ? received.numLines : null,
    mimetype: received.mimetype,
    visibility: received.visibility,
    expiresAt: received.expiryHours === null ? null : now + received.expiryHours * HOUR_MS,
    listLag,
  });
}

async function uploadFile(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Fields | FastifyReply> {
  const context = contextOf(request);
  const slow = context.faults.find((fault) => fault.type === 'slowUpload');
  const received = await receiveUpload(request, {
    directory: state.directory,
    maxFileBytes: state.settings.maxFileBytes,
    gone: context.gone,
    bytesPerSecond: slow?.bytesPerSecond ?? null,
  });
  if (!(await holdRequest(state, context, 'before'))) {
    await rm(received.path, { force: true });
    return breakOff(request, reply, context);
  }
  const lag = context.faults.find((fault) => fault.type === 'fileListLag');
  const file = store(state, workspaceOf(request), received, lag ?? null);
  const { id: uploaded, bytes, filename } = file;
  state.journal.update(context.entry, { effect: { uploaded, bytes, numLines: received.numLines, filename } });
  return fileObject(file);
}

function findFile(state: EmulatorState, request: FastifyRequest): StoredFile {
  const id = uuidParam(request.params, 'file_id');
  const file = state.files.get(workspaceOf(request), id);
  if (file === undefined) throw new ApiError(notFound(`File ${id} was not found.`));
  return file;
}

function listFiles(state: EmulatorState, request: FastifyRequest): Fields {
  const query = queryOf(request.query);
  const page = pageParams(query);
  const search = last(query, 'search')?.toLowerCase() ?? '';
  const purposes = listParam(query, 'purpose', PURPOSES);
  const sampleTypes = listParam(query, 'sample_type', null);
  const sources = listParam(query, 'source', SOURCES);
  const mimetypes = listParam(query, 'mimetypes', null);
  const found = state.files
    .list(workspaceOf(request))
    .filter(
      (file) =>
        file.filename.toLowerCase().includes(search) &&
        (purposes === null || purposes.includes(file.purpose)) &&
        (sampleTypes === null || sampleTypes.includes(file.sampleType)) &&
        (sources === null || sources.includes(file.source)) &&
        (mimetypes === null || (file.mimetype !== null && mimetypes.includes(file.mimetype))),
    );
  const total = booleanParam(query, 'include_total', true) ? { total: found.length } : {};
  return { data: pageOf(found, page).map(fileObject), object: 'list', ...total };
}

async function deleteFile(state: EmulatorState, request: FastifyRequest): Promise<Fields> {
  const file = findFile(state, request);
  await state.files.delete(file);
  state.jobs.inputDeleted(file.id);
  state.journal.update(contextOf(request).entry, { effect: { deleted: file.id } });
  return { id: file.id, object: 'file', deleted: true };
}

function fileUrl(state: EmulatorState, request: FastifyRequest): Fields {
  const hours = integerParam(queryOf(request.query), 'expiry', 24, 1, 168);
  const file = findFile(state, request);
  const path = state.links.pathFor(file.id, state.settings.now() + hours * HOUR_MS);
  return { url: `${request.protocol}://${request.host}${path}` };
}

async function signedDownload(
  state: EmulatorState,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const query = queryOf(request.query);
  const id = uuidParam(request.params, 'file_id');
  const expires = last(query, 'expires') ?? '';
  if (!state.links.isValid(id, expires, last(query, 'token') ?? '', state.settings.now())) {
    throw new ApiError(forbidden());
  }
  const file = state.files.getAny(id);
  if (file === undefined) throw new ApiError(notFound(`File ${id} was not found.`));
  return sendContent(state, request, reply, file);
}

export function addFileRoutes(app: FastifyInstance, state: EmulatorState): void {
  app.post('/v1/files', async (request, reply) => uploadFile(state, request, reply));
  app.get('/v1/files', async (request) => listFiles(state, request));
  app.get('/v1/files/:file_id', async (request) => ({
    ...fileObject(findFile(state, request)),
    deleted: false,
  }));
  app.delete('/v1/files/:file_id', async (request) => deleteFile(state, request));
  app.get('/v1/files/:file_id/content', async (request, reply) =>
    sendContent(state, request, reply, findFile(state, request)),
  );
  app.get('/v1/files/:file_id/url', async (request) => fileUrl(state, request));
  app.get('/signed/files/:file_id', async (request, reply) => signedDownload(state, request, reply));
}
