import { isFields } from '../json.js';
import type { Fields } from '../json.js';

/** A rule that the emulator does not understand; its message is the 400's. */
export class InvalidRule extends Error {}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/** Reads the fields of a rule by name and type, and refuses the ones that nobody read. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #path: string;
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string) {
    if (!isFields(value)) throw new InvalidRule(`${path} must be an object.`);
    this.#fields = value;
    this.#path = path;
  }

  value(name: string): unknown {
    this.#read.add(name);
    return this.#fields[name];
  }

  number(name: string, range: NumberRange): number {
    const value = this.optionalNumber(name, range);
    if (value === null) throw new InvalidRule(`${this.#path}.${name} is required.`);
    return value;
  }

  optionalNumber(name: string, range: NumberRange): number | null {
    const value = this.value(name);
    if (value === undefined) return null;
    const fits = typeof value === 'number' && value >= range.min && value <= range.max;
    if (!fits || (range.integer === true && !Number.isInteger(value))) {
      const kind = range.integer === true ? 'an integer' : 'a number';
      throw new InvalidRule(`${this.#path}.${name} must be ${kind} from ${range.min} to ${range.max}.`);
    }
    return value;
  }

  string(name: string, fallback: string): string {
    const value = this.value(name) ?? fallback;
    if (typeof value !== 'string') throw new InvalidRule(`${this.#path}.${name} must be a string.`);
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.value(name) ?? fallback;
    if (typeof value !== 'boolean') throw new InvalidRule(`${this.#path}.${name} must be true or false.`);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: NoInfer<T>): T {
    const value = this.value(name) ?? fallback;
    const found = allowed.find((item) => item === value);
    if (found === undefined)
      throw new InvalidRule(`${this.#path}.${name} must be one of ${allowed.join(', ')}.`);
    return found;
  }

  strings(name: string): readonly string[] | null {
    const value = this.value(name);
    if (value === undefined) return null;
    const texts = Array.isArray(value) ? value.filter((item: unknown) => typeof item === 'string') : [];
    if (!Array.isArray(value) || texts.length !== value.length) {
      throw new InvalidRule(`${this.#path}.${name} must be a list of strings.`);
    }
    return texts;
  }

  /** Throws for fields that nothing has read: a misspelt option must not pass for the default. */
  finish(): void {
    const unknown = Object.keys(this.#fields).filter((name) => !this.#read.has(name));
    if (unknown.length > 0) throw new InvalidRule(`${this.#path} has unknown fields: ${unknown.join(', ')}.`);
  }
}
