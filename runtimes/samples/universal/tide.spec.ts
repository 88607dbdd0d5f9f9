import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { highest } from "./tide";

const cases: { levels: number[]; highest: number }[] = JSON.parse(readFileSync("cases.json", "utf-8"));

test.each(cases)("highest of $levels", (one) => {
  expect(highest(one.levels)).toBe(one.highest);
});

test("highest of nothing is refused", () => {
  expect(() => highest([])).toThrow(RangeError);
});
