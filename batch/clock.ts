/** Time as a dependency: on the time-skipping test server, activities must read the server's clock. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
