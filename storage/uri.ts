import { isAbsolute, resolve } from 'node:path';

export type ParsedPath =
  { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string };

/** Scheme of a URI in lower case; null for plain paths. */
export function schemeOf(text: string): string | null {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** `file:///…` of an absolute path, without a trailing slash. */
export function formatFileUri(path: string): string {
  const encoded = path.split('/').map(encodeSegment).join('/').replace(/\/+$/, '');
  return `file://${encoded === '' ? '/' : encoded}`;
}

/**
 * Absolute path of a `file:///…` URI or of an absolute path.
 * Stricter than `fileURLToPath`: what a URL parser would repair (hosts, dot segments, queries) is refused,
 * because a repaired path is another path than the one a person reads in the message.
 */
export function parseFileLocation(text: string): ParsedPath {
  if (text.includes('\0')) return refused('it contains a NUL character');
  if (isAbsolute(text)) return { ok: true, path: resolve(text) };
  const scheme = schemeOf(text);
  if (scheme === null) return refused('it is neither an absolute path nor a file:// URI');
  if (scheme !== 'file') return refused(`its scheme is ${scheme}:, not file:`);
  return parseFileUri(text);
}

function parseFileUri(uri: string): ParsedPath {
  const path = /^file:\/\/(\/.*)$/is.exec(uri)?.[1];
  if (path === undefined)
    return refused('a file URI has no host: it begins with file:/// and an absolute path');
  if (/[?#]/.test(path)) return refused('a file URI has no query or fragment: write ? as %3F and # as %23');
  const segments: string[] = [];
  for (const encoded of path.split('/')) {
    const segment = decodeSegment(encoded);
    if (segment === null) return refused(`"${encoded}" is not valid percent-encoding`);
    if (/[/\\\0]/.test(segment)) return refused('it contains a slash, backslash or NUL in a file name');
    if (segment === '.' || segment === '..') return refused('it contains a "." or ".." segment');
    if (segment !== '') segments.push(segment);
  }
  return { ok: true, path: `/${segments.join('/')}` };
}

/** Batch ids hold colons (scheduled times): they are legal in a path and stay readable. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

function decodeSegment(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

function refused(reason: string): ParsedPath {
  return { ok: false, reason };
}
