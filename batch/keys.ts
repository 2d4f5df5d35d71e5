/** What is hashed, and in which order. The hash itself is taken where crypto is at hand: activities, client. */

/** Fields are joined so that no two different tuples give the same text. */
function tuple(fields: readonly (string | number)[]): string {
  return JSON.stringify(fields.map(String));
}

export interface RoundKeyFields {
  readonly batchId: string;
  readonly shard: number;
  readonly round: number;
  /** SHA-256 of the exact bytes uploaded. */
  readonly inputSha256: string;
  readonly endpoint: string;
  readonly model: string;
}

/** Identity of what one round of one shard buys: found again even when Temporal's database was lost. */
export function roundKeyText(f: RoundKeyFields): string {
  return tuple(['longhaul-1', f.batchId, f.shard, f.round, f.inputSha256, f.endpoint, f.model]);
}

export interface FingerprintFields {
  readonly inputSha256: string;
  readonly endpoint: string;
  readonly model: string;
  readonly jobTimeoutMs: number;
  readonly provider: string;
  /** Origin of the provider's base URL. */
  readonly origin: string;
}

/** What is bought, and from whom. */
export function fingerprintText(f: FingerprintFields): string {
  return tuple([
    'longhaul-fingerprint-1',
    f.inputSha256,
    f.endpoint,
    f.model,
    f.jobTimeoutMs,
    f.provider,
    comparableOrigin(f.origin),
  ]);
}

/** All loopback origins count as one: an emulator gets another port at each start. */
export function comparableOrigin(origin: string): string {
  return /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(origin)
    ? 'loopback'
    : origin.toLowerCase();
}

/** The id of a batch without `--id`: readable, and changed by whatever changes what is bought. */
export function defaultBatchId(baseName: string, fingerprint: string): string {
  const stem = baseName
    .replace(/\.gz$/i, '')
    .replace(/\.jsonl$/i, '')
    .replace(/[^A-Za-z0-9._:-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return `${(stem === '' ? 'batch' : stem).slice(0, 180)}-${fingerprint.slice(0, 12)}`;
}
