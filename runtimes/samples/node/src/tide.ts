/** A few lines of real code, so that an image is proved by running some. */

/** Highest level. Throws a RangeError when there is none. */
export function highest(levels: readonly number[]): number {
  if (levels.length === 0) {
    throw new RangeError("no levels");
  }
  return Math.max(...levels);
}

/** The high water that follows `last`, 12 hours 25 minutes later. */
export function nextHighWater(last: Date): Date {
  return new Date(last.getTime() + (12 * 60 + 25) * 60_000);
}
