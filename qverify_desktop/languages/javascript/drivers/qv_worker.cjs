// Runs the tests of one file, in a process of its own, and tells its supervisor over descriptor 3. What it tells was
// written beside hostile code and is believed for its own tests only.
"use strict";

const path = require("node:path");
const exists = require("node:fs").existsSync;
const util = require("node:util");

const { request, tell } = require("./qv_telling.cjs").asked(process.argv[2]);
const root = process.cwd();
const frameOf = require("./qv_frame.cjs");
const loader = require("./qv_loader.cjs");

const exit = process.reallyExit.bind(process);
const now = performance.now.bind(performance);
if (request.clock_s) require("./qv_clock.cjs").shift(request.clock_s);

const stores = new Map();
Buffer.__qverify = (file) => {
  if (!stores.has(file)) stores.set(file, new Uint8Array(request.marks[file] || 1));
  return stores.get(file);
};

/** Marks that were hit since the last time, by file. */
function hits() {
  const found = {};
  for (const [file, store] of stores) {
    const numbers = [];
    for (let at = store.indexOf(1); at >= 0; at = store.indexOf(1, at + 1)) numbers.push(at);
    if (numbers.length) found[file] = numbers;
    store.fill(0);
  }
  return found;
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** A value as source text. */
function shown(value) {
  try {
    if (typeof value === "string") return cut(JSON.stringify(value), 2000);
    if (value instanceof Error) return cut(`${value.name}: ${value.message}`, 2000);
    return cut(util.inspect(value, { depth: 6, breakLength: Infinity, compact: true, maxArrayLength: 100 }), 2000);
  } catch {
    return "";
  }
}

function framesOf(error) {
  const found = [];
  for (const line of String((error && error.stack) || "").split("\n").slice(0, 200)) {
    const match = /(?:\(|at (?:async )?)(?:file:\/\/)?(\/[^()\n]{1,1000}?):(\d{1,9})(?::\d{1,9})?\)?$/.exec(line.trim());
    if (!match || !match[1].startsWith(`${root}/`)) continue;
    const compiled = match[1].slice(root.length + 1);
    // The loader compiles modules under an ending of its own.
    const file = compiled.endsWith(".jsx") && !exists(match[1]) ? compiled.slice(0, -1) : compiled;
    if (!file.startsWith(".qverify/") && !file.includes("node_modules/")) found.unshift(cut(`${file}:${match[2]}`, 1000));
  }
  return found.slice(-100);
}

function nameOf(error) {
  if (!error || typeof error !== "object") return "thrown value";
  if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND") return "ModuleNotFoundError";
  // Files, addresses and programs that a sandbox does not have (Node.js, "Common system errors").
  const system = error.code || (error.cause && error.cause.code);
  if (typeof system === "string" && /^E[A-Z][A-Z_]+$/.test(system) && !system.startsWith("ERR_")) return "SystemError";
  return cut(String(error.name || (error.constructor && error.constructor.name) || "Error"), 100);
}

function failure(error) {
  const matched = error && typeof error === "object" && error.matcherResult;
  const asserted = Boolean(matched) || (error && (error.code === "ERR_ASSERTION" || error.name === "AssertionError" || error.name === "JestAssertionError"));
  const frames = framesOf(error);
  const name = asserted ? "AssertionError" : nameOf(error);
  const raw = String((error && typeof error === "object" ? error.message : error) || "");
  const message = util.stripVTControlCharacters(raw);
  const inside = frames.length === 0 || frames[frames.length - 1].startsWith(`${request.path}:`);
  let observed = "";
  if (asserted) {
    // Where an error was expected and none came, Node.js calls the error that did not come undefined.
    const came = error.operator !== "throws" && error.operator !== "rejects";
    const has = matched ? "actual" in matched : "actual" in error && came;
    observed = has ? shown(matched ? matched.actual : error.actual) : "";
  } else {
    observed = cut(`raises ${name}: ${message}`, 2000);
  }
  return { status: "failed", message: cut(message, 3000), raised: name, observed, in_test: Boolean(asserted && inside), frames };
}

class ProcessExit extends Error {}

async function main() {
  let blamed = null;
  process.exit = (code) => {
    throw new ProcessExit(`The code ended the process with status ${code === undefined ? 0 : code}.`);
  };
  const strays = (error) => blamed && blamed(error);
  process.on("uncaughtException", strays);
  process.on("unhandledRejection", strays);
  const frame = frameOf.frame();
  loader.install(root, frame.provided, request.override);
  let tests;
  try {
    require(path.join(root, request.path));
    tests = frameOf.collected(frame.root, request.path, frame.isFocused());
  } catch (error) {
    tell({ kind: "load_error", name: nameOf(error), message: cut(`${nameOf(error)}: ${util.stripVTControlCharacters(String(error && error.message))}`, 3000), hits: hits() });
    return;
  }
  tell({ kind: "loaded", tests: tests.map((one) => one.id), hits: hits() });
  const wanted = request.only ? new Set(request.only) : null;
  const left = new Set(request.without);
  const entered = new Set();
  for (const one of ordered(tests.filter((test) => (!wanted || wanted.has(test.id)) && !left.has(test.id)))) {
    tell({ kind: "start", test: one.id });
    const began = now();
    let outcome = { status: "passed" };
    if (one.skips) {
      outcome = { status: "skipped" };
    } else {
      try {
        let stray;
        const lost = new Promise((_, reject) => (blamed = stray = reject));
        lost.catch(() => {});
        await Promise.race([frameOf.run(one, entered), lost]);
        if (one.node.fails) outcome = { status: "failed", message: "It was expected to fail." };
      } catch (error) {
        if (error instanceof frameOf.Skip) outcome = { status: "skipped" };
        else if (error instanceof ProcessExit) outcome = { status: "error", message: error.message };
        else if (!one.node.fails) outcome = failure(error);
        if (error instanceof frameOf.Unsupported) outcome = { ...outcome, status: "error", unsupported: true };
      }
    }
    blamed = null;
    tell({ kind: "test", test: one.id, duration_ms: Math.max(0, Math.round(now() - began)), ...outcome, hits: hits() });
  }
  for (const around of [...entered].reverse()) {
    for (const each of around.hooks.afterAll) {
      try {
        await Promise.race([each(), new Promise((resolve) => setTimeout(resolve, 2000))]);
      } catch {
        // Every test has its outcome already.
      }
    }
  }
}

/** The order of the run: as written (0), the other way round (1), or shuffled by the seed (Fisher and Yates; a linear congruential
 * generator). */
function ordered(tests) {
  if (!request.seed) return tests;
  if (request.seed === 1) return [...tests].reverse();
  const shuffled = [...tests];
  let state = request.seed >>> 0;
  for (let at = shuffled.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other], shuffled[at]];
  }
  return shuffled;
}

main().then(
  () => {
    tell({ kind: "done", hits: hits() });
    exit(0);
  },
  (error) => {
    tell({ kind: "load_error", name: nameOf(error), message: cut(String(error), 3000), hits: {} });
    exit(0);
  },
);
