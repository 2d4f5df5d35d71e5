import { resolve } from 'node:path';
import { formatFileUri, schemeOf } from './uri.js';

/** The URI by which workers read an input: a local path becomes absolute, a URI stays as it is. */
export function inputUriOf(input: string): string {
  // As `hashInput` tells them apart: `a:b.jsonl` is a file's name.
  const isUri = schemeOf(input) === 'file' || /^[a-z][a-z0-9+.-]*:\/\//i.test(input);
  return isUri ? input : formatFileUri(resolve(input));
}

/** Last part of an input's URI, as people write it. */
export function inputBaseName(uri: string): string {
  const encoded = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
