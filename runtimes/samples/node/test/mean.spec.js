import { expect, test } from "vitest";
import { settle } from "../src/mean.js";

test("settle is the mean", async () => {
  expect(await settle([1, 2, 3])).toBe(2);
});
