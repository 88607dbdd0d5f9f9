import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { highest, nextHighWater } from "../src/tide.js";

test("highest is the largest level", () => {
  expect(highest([0.4, 2.1, 1.7])).toBe(2.1);
});

test("highest of nothing is refused", () => {
  expect(() => highest([])).toThrow(RangeError);
});

test("the next high water is 12 hours 25 minutes later, in the zone's local time", () => {
  const next = nextHighWater(new Date("2024-03-30T18:00:00Z"));
  expect(next.toLocaleString("en-GB", { timeZone: "Europe/Amsterdam" })).toBe("31/03/2024, 08:25:00");
});

test("nobody special, nothing writable outside, no network", async () => {
  expect(process.getuid?.()).toBe(10001);
  expect(() => writeFileSync("/node_modules/planted", "x")).toThrow();
  await expect(
    new Promise((resolve, reject) => connect(80, "192.0.2.1").on("connect", resolve).on("error", reject)),
  ).rejects.toThrow();
});
