import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Links to a file's content that need no bearer. The secret lives and dies with the process. */
export class SignedLinks {
  readonly #secret = randomBytes(32);

  /** Path and query of a link that is good until `expiresAt` (ms). */
  pathFor(fileId: string, expiresAt: number): string {
    return `/signed/files/${fileId}?expires=${expiresAt}&token=${this.#tokenFor(fileId, String(expiresAt))}`;
  }

  isValid(fileId: string, expires: string, token: string, now: number): boolean {
    const expected = Buffer.from(this.#tokenFor(fileId, expires));
    const given = Buffer.from(token);
    return expected.length === given.length && timingSafeEqual(expected, given) && now < Number(expires);
  }

  #tokenFor(fileId: string, expires: string): string {
    return createHmac('sha256', this.#secret).update(`${fileId}\n${expires}`).digest('hex');
  }
}
