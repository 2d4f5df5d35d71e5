/** Stable names of the eleven API routes and the signed download; journal and fault rules use them. */
export const ROUTE_NAMES = [
  'listJobs',
  'createJob',
  'getJob',
  'deleteJob',
  'cancelJob',
  'uploadFile',
  'listFiles',
  'getFile',
  'deleteFile',
  'fileContent',
  'fileUrl',
  'signedDownload',
] as const;

export type RouteName = (typeof ROUTE_NAMES)[number];

export function isRouteName(value: unknown): value is RouteName {
  return ROUTE_NAMES.some((name) => name === value);
}

const BY_PATTERN: Readonly<Record<string, RouteName>> = {
  'GET /v1/batch/jobs': 'listJobs',
  'POST /v1/batch/jobs': 'createJob',
  'GET /v1/batch/jobs/:job_id': 'getJob',
  'DELETE /v1/batch/jobs/:job_id': 'deleteJob',
  'POST /v1/batch/jobs/:job_id/cancel': 'cancelJob',
  'POST /v1/files': 'uploadFile',
  'GET /v1/files': 'listFiles',
  'GET /v1/files/:file_id': 'getFile',
  'DELETE /v1/files/:file_id': 'deleteFile',
  'GET /v1/files/:file_id/content': 'fileContent',
  'GET /v1/files/:file_id/url': 'fileUrl',
  'GET /signed/files/:file_id': 'signedDownload',
};

/** The name of the route with this method and URL pattern, or null for anything else. */
export function routeNameOf(method: string, pattern: string | undefined): RouteName | null {
  return BY_PATTERN[`${method} ${pattern}`] ?? null;
}
