import type { Fields } from '../json.js';

export const PURPOSES = ['fine-tune', 'batch', 'ocr', 'audio'] as const;
export const SOURCES = ['upload', 'repository', 'mistral'] as const;
export const VISIBILITIES = ['workspace', 'user'] as const;

/** How long lists lack a file: for so many of them, or for a time since its creation. */
export interface ListLag {
  readonly calls: number | null;
  readonly ms: number | null;
}

/** A file that the API shows; its bytes are at `path` on disk. Times are milliseconds since the epoch. */
export interface StoredFile {
  readonly id: string;
  readonly workspace: string;
  readonly path: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly filename: string;
  readonly purpose: string;
  readonly sampleType: string;
  readonly source: 'upload' | 'mistral';
  readonly numLines: number | null;
  readonly mimetype: string | null;
  readonly visibility: string;
  readonly expiresAt: number | null;
  readonly listLag: ListLag | null;
}

export function sampleTypeFor(purpose: string): string {
  switch (purpose) {
    case 'batch':
      return 'batch_request';
    case 'fine-tune':
      return 'instruct';
    default:
      return `${purpose}_input`;
  }
}

/** The file object as the API sends it. */
export function fileObject(file: StoredFile): Fields {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.createdAt / 1000),
    filename: file.filename,
    purpose: file.purpose,
    sample_type: file.sampleType,
    num_lines: file.numLines,
    mimetype: file.mimetype,
    source: file.source,
    signature: null,
    expires_at: file.expiresAt === null ? null : Math.floor(file.expiresAt / 1000),
    visibility: file.visibility,
  };
}
