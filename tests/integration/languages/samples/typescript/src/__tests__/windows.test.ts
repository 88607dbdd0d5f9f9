import { describe, expect, it } from "vitest";
import { minutesOf } from "../windows.js";

describe("minutesOf", () => {
  it("reads the hour", () => {
    expect(minutesOf("01:00")).toBe(60);
  });
});
