/** All in milliseconds. */
export interface SupervisorTiming {
  readonly firstCommand: number;
  readonly grace: number;
  readonly backgroundCheck: number;
  readonly workerReady: number;
  readonly workerDrain: number;
}

export const USUAL_TIMING: SupervisorTiming = {
  firstCommand: 10_000,
  grace: 3_000,
  backgroundCheck: 5_000,
  workerReady: 60_000,
  workerDrain: 15_000,
};
