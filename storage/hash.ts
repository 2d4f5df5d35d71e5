import { createHash } from 'node:crypto';

/** Lower-case hex. */
export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Passes bytes on and hashes them; `digest` may be asked once, when the source is through. */
export function hashing(source: AsyncIterable<Uint8Array>): {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly digest: () => string;
} {
  const hash = createHash('sha256');
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return { bytes: pass(), digest: () => hash.digest('hex') };
}

/** The hash of a file of lines, from its lines; each of them ends in a line feed. */
export class LinesHash {
  readonly #hash = createHash('sha256');

  add(line: Uint8Array): void {
    this.#hash.update(line).update('\n');
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
