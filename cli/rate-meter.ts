interface Sample {
  readonly at: number;
  readonly done: number;
}

const WINDOW_MS = 60_000;
/** A rate over less than this is noise. */
const SHORTEST_MS = 1_000;

/** Rows per second over the last minute: what was fast an hour ago says nothing about the time left. */
export class RateMeter {
  #samples: Sample[] = [];

  /** `at`: Unix milliseconds. */
  add(at: number, done: number): void {
    this.#samples.push({ at, done });
    // One sample older than the window stays: the window's rate is measured from it.
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Null while there is too little to go by. */
  get perSecond(): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return null;
    const span = last.at - first.at;
    if (span < SHORTEST_MS || last.done <= first.done) return null;
    return ((last.done - first.done) * 1000) / span;
  }

  /** Milliseconds until `rows` more are done, at this rate. */
  timeLeft(rows: number): number | null {
    const rate = this.perSecond;
    return rate === null ? null : (rows / rate) * 1000;
  }
}
