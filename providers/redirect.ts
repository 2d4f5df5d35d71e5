type Headers = Readonly<Record<string, string | string[] | undefined>>;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Where a GET is sent on to; null when the answer is to be taken as it is. From https only to https. The
 * caller leaves the Authorization header out for another origin: a download may be redirected to a signed
 * URL of an object store, which must not see the key.
 */
export function redirectTarget(status: number, headers: Headers, from: URL): URL | null {
  const location = headers['location'];
  if (!REDIRECTS.has(status) || typeof location !== 'string' || !URL.canParse(location, from.href))
    return null;
  const target = new URL(location, from.href);
  const safe = target.protocol === 'https:' || (target.protocol === 'http:' && from.protocol === 'http:');
  return safe && target.username === '' && target.password === '' ? target : null;
}
