// Jest's `expect` and mocks. Loading their hundred files takes longer than most tests, so a supervisor that starts many workers
// makes one file of them, compiled.
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const vm = require("node:vm");

const BUNDLE = "/tmp/qverify-expect.cjs";
const CODE = "/tmp/qverify-expect.code";
const CONTENTS = `
exports.expect = require("/node_modules/expect").expect;
exports.ModuleMocker = require("/node_modules/jest-mock").ModuleMocker;
`;

function run(cachedData) {
  const script = new vm.Script(Module.wrap(fs.readFileSync(BUNDLE, "utf8")), { filename: BUNDLE, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, BUNDLE, "/tmp");
  return { script, exports: module.exports };
}

/** Make the bundle; without it everything works, only slower. */
function prepare() {
  try {
    const esbuild = require("/node_modules/esbuild");
    esbuild.buildSync({ stdin: { contents: CONTENTS, resolveDir: "/" }, bundle: true, platform: "node", outfile: BUNDLE, logLevel: "silent" });
    const { script, exports } = run();
    exports.expect([1]).toEqual([1]);
    fs.writeFileSync(CODE, script.createCachedData());
  } catch {
    fs.rmSync(BUNDLE, { force: true });
  }
}

function load() {
  if (fs.existsSync(CODE)) return run(fs.readFileSync(CODE)).exports;
  return { expect: require("/node_modules/expect").expect, ModuleMocker: require("/node_modules/jest-mock").ModuleMocker };
}

module.exports = { prepare, load };
