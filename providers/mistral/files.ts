import { deletedSchema, fileSchema, signedUrlSchema, type MistralFile } from '../../schemas/mistral/file.js';
import { readFilePage } from '../../schemas/mistral/list-page.js';
import { ProviderError } from '../errors.js';
import type { CallOptions, FileDownload, FileFilter, FileUpload, RemoteFile } from '../provider.js';
import { segment, type MistralApi } from './api.js';
import { mistralCapabilities } from './capabilities.js';
import { PAGE_SIZE, walkPages } from './page-walk.js';
import { toRemoteFile } from './remote.js';

const FILES = '/v1/files';
const URL_HOURS = { min: 1, max: 168 };

export async function uploadFile(
  api: MistralApi,
  upload: FileUpload,
  options: CallOptions,
): Promise<RemoteFile> {
  const name = 'upload file';
  const { maxBytesPerFile } = mistralCapabilities;
  if (upload.bytes > maxBytesPerFile) {
    throw new ProviderError(
      'ProviderRejected',
      `${name}: not sent; ${upload.name} has ${upload.bytes} bytes, the most is ${maxBytesPerFile}`,
      { effect: 'refused' },
    );
  }
  const call = { name, method: 'POST', path: FILES, creates: true } as const;
  const file = await api.upload(call, upload, { purpose: 'batch' }, fileSchema, options);
  return toRemoteFile({ ...file, filename: file.filename ?? upload.name });
}

export async function getFile(api: MistralApi, fileId: string, options: CallOptions): Promise<RemoteFile> {
  const name = 'get file';
  const path = `${FILES}/${segment(name, fileId)}`;
  return toRemoteFile(await api.json({ name, method: 'GET', path }, fileSchema, options));
}

export async function deleteFile(api: MistralApi, fileId: string, options: CallOptions): Promise<void> {
  const name = 'delete file';
  const path = `${FILES}/${segment(name, fileId)}`;
  await api.remove({ name, method: 'DELETE', path }, deletedSchema, options);
}

export async function downloadFile(
  api: MistralApi,
  fileId: string,
  options: CallOptions,
): Promise<FileDownload> {
  const name = 'download file';
  const path = `${FILES}/${segment(name, fileId)}/content`;
  return api.download({ name, method: 'GET', path }, options);
}

export async function fileUrl(
  api: MistralApi,
  fileId: string,
  expiryHours: number,
  options: CallOptions,
): Promise<string> {
  const name = 'sign file URL';
  if (!Number.isInteger(expiryHours) || expiryHours < URL_HOURS.min || expiryHours > URL_HOURS.max) {
    throw new ProviderError(
      'ProviderRejected',
      `${name}: a URL may last ${URL_HOURS.min} to ${URL_HOURS.max} whole hours, not ${expiryHours}`,
      { effect: 'refused' },
    );
  }
  const path = `${FILES}/${segment(name, fileId)}/url`;
  const query = new URLSearchParams({ expiry: String(expiryHours) });
  const { url } = await api.json({ name, method: 'GET', path, query }, signedUrlSchema, options);
  return url;
}

/** `search` is a substring at best: names are compared again here. */
export async function findFiles(
  api: MistralApi,
  fileName: string,
  options: CallOptions,
): Promise<readonly RemoteFile[]> {
  const found: RemoteFile[] = [];
  for await (const file of listFiles(api, { search: fileName }, options)) {
    if (file.name === fileName) found.push(file);
  }
  return found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

/**
 * Entries that can't be read are passed over: a file that is missed here is at worst uploaded once more,
 * which costs no money.
 */
export async function* listFiles(
  api: MistralApi,
  filter: FileFilter,
  options: CallOptions,
): AsyncGenerator<RemoteFile, void, undefined> {
  const walk = walkPages<MistralFile>({
    fetchPage: (page) => {
      const query = new URLSearchParams({
        page: String(page),
        page_size: String(PAGE_SIZE),
        purpose: 'batch',
      });
      if (filter.search !== undefined) query.set('search', filter.search);
      return api.page({ name: 'list files', method: 'GET', path: FILES, query }, readFilePage, options);
    },
    idOf: (file) => file.id,
    onUnreadable: () => undefined,
  });
  for await (const file of walk) yield toRemoteFile(file);
}
