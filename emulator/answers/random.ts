import { hash } from 'node:crypto';

/**
 * A stream of draws that depends on its seed and nothing else: the same seed gives the same draws on every machine, in
 * every process and in any order of the rows around it.
 */
export interface Random {
  /** In [0, 1). */
  float(): number;
  /** Integer in [0, below). */
  int(below: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  hex(digits: number): string;
  uuid(): string;
}

/** SHA-256 of the JSON form of the parts, which keeps ("a", "bc") and ("ab", "c") apart. */
export function digestOf(...parts: readonly unknown[]): Buffer {
  return hash('sha256', JSON.stringify(parts), 'buffer');
}

/** sfc32, a small generator with a 128-bit state. A class, as a million rows make two million of them. */
class Sfc32 implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(digest: Buffer) {
    this.#a = digest.readUInt32LE(0);
    this.#b = digest.readUInt32LE(4);
    this.#c = digest.readUInt32LE(8);
    this.#counter = digest.readUInt32LE(12);
  }

  float(): number {
    return this.#next() / 0x1_0000_0000;
  }

  int(below: number): number {
    return Math.floor(this.float() * below);
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.int(items.length)] ?? items[0];
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.#next().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }

  uuid(): string {
    const digits = this.hex(32);
    const variant = '89ab'.charAt(this.int(4));
    const [first, second, third] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(13, 16)];
    return `${first}-${second}-4${third}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }
}

/** Draws from a digest of at least 16 bytes. */
export function randomFrom(digest: Buffer): Random {
  return new Sfc32(digest);
}

/** A permutation of 0..length-1 (Fisher-Yates). */
export function shuffledIndexes(length: number, random: Random): Uint32Array {
  const order = new Uint32Array(length);
  for (let index = 0; index < length; index += 1) {
    const other = random.int(index + 1);
    order[index] = order[other] ?? 0;
    order[other] = index;
  }
  return order;
}
