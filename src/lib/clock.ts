/** Time as a value, so that tests can hold it still and decisions never read it themselves. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
