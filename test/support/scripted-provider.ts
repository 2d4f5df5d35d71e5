import { mistralCapabilities } from '../../providers/mistral/capabilities.js';
import { readOutputLine } from '../../providers/mistral/output-line.js';
import type { BatchProvider } from '../../providers/provider.js';

/** A provider that can do what the test gives it, and reads result lines as Mistral's does. */
export function scriptedProvider(calls: Partial<BatchProvider> = {}): BatchProvider {
  const unexpected = (name: string) => (): never => {
    throw new Error(`the test does not expect ${name}`);
  };
  return {
    name: 'mistral',
    origin: 'https://provider.test',
    capabilities: mistralCapabilities,
    checkAccount: unexpected('checkAccount'),
    listJobs: unexpected('listJobs'),
    createJob: unexpected('createJob'),
    getJob: unexpected('getJob'),
    cancelJob: unexpected('cancelJob'),
    deleteJob: unexpected('deleteJob'),
    uploadFile: unexpected('uploadFile'),
    findFiles: unexpected('findFiles'),
    listFiles: unexpected('listFiles'),
    getFile: unexpected('getFile'),
    deleteFile: unexpected('deleteFile'),
    downloadFile: unexpected('downloadFile'),
    fileUrl: unexpected('fileUrl'),
    readOutputLine,
    ...calls,
  };
}
