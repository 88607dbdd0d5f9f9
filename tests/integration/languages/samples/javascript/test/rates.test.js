"use strict";

const assert = require("node:assert");
const { describe, it } = require("node:test");

const { weightSteps, zoneOf } = require("../lib/rates");

describe("zoneOf", () => {
  it("knows its neighbours", () => {
    assert.strictEqual(zoneOf("AT"), 1);
  });
});

describe("weightSteps", () => {
  it("counts a step that has begun", () => {
    assert.strictEqual(weightSteps(700), 2);
  });
});
