import { isFields } from '../json.js';
import type { Fault } from './fault.js';
import { InvalidRule } from './field-reader.js';
import { concerns, parseRule, strikes } from './rule.js';
import type { RequestFacts, Rule } from './rule.js';

/** The rules in force, each with the number of requests that it has concerned so far. */
export class FaultEngine {
  readonly #seed: number;
  readonly #hits = new Map<Rule, number>();
  #nextId = 1;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds the rules of `{rules: [...]}`, all or none. Throws InvalidRule. */
  add(body: unknown): readonly Rule[] {
    const given: unknown = isFields(body) ? body['rules'] : undefined;
    if (!Array.isArray(given)) throw new InvalidRule('The body must be {"rules": [...]}.');
    const rules = given.map((value: unknown, index) => parseRule(value, `rule-${this.#nextId + index}`));
    this.#nextId += rules.length;
    for (const rule of rules) this.#hits.set(rule, 0);
    return rules;
  }

  list(): readonly (Rule & { readonly hits: number })[] {
    return [...this.#hits].map(([rule, hits]) => ({ ...rule, hits }));
  }

  /** Whether there was such a rule. */
  remove(id: string): boolean {
    return [...this.#hits.keys()].some((rule) => rule.id === id && this.#hits.delete(rule));
  }

  clear(): void {
    this.#hits.clear();
    this.#nextId = 1;
  }

  /** The faults that strike this request, in the order of their rules. Counts the request. */
  faultsFor(request: RequestFacts): readonly Fault[] {
    const faults: Fault[] = [];
    for (const [rule, hits] of this.#hits) {
      if (!concerns(rule, request)) continue;
      this.#hits.set(rule, hits + 1);
      if (strikes(rule, hits + 1, this.#seed)) faults.push(rule.fault);
    }
    return faults;
  }
}
