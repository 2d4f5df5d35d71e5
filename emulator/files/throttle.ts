import { setTimeout as sleep } from 'node:timers/promises';

/** Slices a second is cut into: small enough to look steady, large enough to cost nothing. */
const SLICES_PER_SECOND = 20;

/** Passes bytes on at about the given rate. */
export async function* throttled(
  source: AsyncIterable<Uint8Array>,
  bytesPerSecond: number,
): AsyncGenerator<Uint8Array> {
  const slice = Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND));
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; from += slice) {
      const piece = chunk.subarray(from, from + slice);
      yield piece;
      await sleep((piece.length / bytesPerSecond) * 1000);
    }
  }
}
