/** Highest level. Throws a RangeError when there is none. */
export function highest(levels: readonly number[]): number {
  if (levels.length === 0) {
    throw new RangeError("no levels");
  }
  return Math.max(...levels);
}
