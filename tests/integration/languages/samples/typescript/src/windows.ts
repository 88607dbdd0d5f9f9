import { pad } from "./text.js";

/** A span of minutes since midnight; the end is not in it. */
export interface Window {
  start: number;
  end: number;
}

/**
 * Minutes since midnight of a time of day.
 *
 * @example
 * minutesOf("00:30"); // => 30
 * minutesOf("10:05"); // => 605
 */
export function minutesOf(time: string): number {
  const match = /^(\d\d):(\d\d)$/.exec(time);
  if (match === null) {
    throw new SyntaxError(`Not a time of day: ${time}`);
  }
  return Number(match[1]) * 60 + Number(match[2]);
}

/**
 * The time of day of minutes since midnight.
 *
 * clock(605) => "10:05"
 * clock(0) => "00:00"
 */
export const clock = (minutes: number): string => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;

/**
 * Whether two windows have a minute in common. Windows that only touch have none.
 *
 * @example
 * const morning = { start: 480, end: 720 };
 * overlaps(morning, { start: 700, end: 800 }); // => true
 * overlaps(morning, { start: 720, end: 800 }); // => false
 */
export function overlaps(one: Window, other: Window): boolean {
  return one.start <= other.end && other.start <= one.end;
}

/** A day's deliveries, earliest first. */
export class Plan {
  private readonly taken: Window[] = [];

  constructor(private readonly most: number) {}

  /** Takes a window where there is room; says whether there was. */
  add(window: Window): boolean {
    if (this.taken.length >= this.most || window.start >= window.end) {
      return false;
    }
    this.taken.push(window);
    this.taken.sort((a, b) => a.start - b.start);
    return true;
  }
}
