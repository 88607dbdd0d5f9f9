// Run tests and report each, with coverage. Runs inside the sandbox; asked by `suite.json` beside it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { journal, runFile, inLanes } = require("./qv_supervision.cjs");
const { alone } = require("./qv_alone.cjs");
const { runOwn } = require("./qv_runners.cjs");
const { compiled, needsCompiling } = require("./qv_loader.cjs");

const MARGIN_MS = 6000;
const LANES = 2;
/** A project has many files and a test needs few of them: the others are compiled when they are asked for. */
const MOST_PRECOMPILED = 60;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

async function main() {
  const request = JSON.parse(fs.readFileSync(path.join(__dirname, "suite.json"), "utf8"));
  const record = journal("suite.jsonl");
  const limits = { test_s: request.test_s, import_s: request.import_s, deadline: Date.now() + request.deadline_s * 1000 - MARGIN_MS };
  record("expected", { tests: request.expected });
  const measured = new Measured(request, record);
  const common = { marks: measured.sizes, hash_seed: request.hash_seed, clock_s: request.clock_s, only: request.only.length ? request.only : null };
  const own = new Map();
  precompile([...request.own, ...request.generated, ...request.sources.slice(0, MOST_PRECOMPILED)]);
  try {
    await inLanes(request.own, LANES, async (file) => {
      const outcomes = { tests: new Map(), trouble: "" };
      own.set(file, outcomes);
      await runFile({ ...common, path: file, seed: 0 }, limits, (told) => {
        measured.take(told);
        if (told.kind === "load_error") outcomes.trouble = told.message;
        else if (told.kind === "test" && belongs(told.test, file)) outcomes.tests.set(told.test, told);
      });
    });
    if (request.own.length) await runOwn(request, own, measured, limits);
    for (const [file, outcomes] of own) {
      if (outcomes.trouble && holdsTests(file)) record("collect_error", { file, message: outcomes.trouble });
      for (const told of outcomes.tests.values()) report(record, measured, told, request.coverage);
    }
    await inLanes(request.generated, LANES, (file) => generated(file, { request, common, limits, record, measured }));
    measured.report(request.everything);
    record("done", {});
  } catch (error) {
    record("broken", { message: cut(String(error && error.stack), 2000) });
    throw error;
  }
}

/** Whether a file in a folder of tests is one, and not what tests are made of. */
function holdsTests(file) {
  return /\b(?:describe|it|test|suite)\s*[.(]/.test(fs.readFileSync(file, "utf8"));
}

/** Compile here, once, what workers would each load the compiler for. */
function precompile(files) {
  for (const file of files) {
    try {
      const text = fs.readFileSync(file, "utf8");
      if (needsCompiling(text, file)) compiled(text, path.resolve(file));
    } catch {
      // The worker that loads it tells why.
    }
  }
}

/** A worker speaks for the tests of its own file only. */
const belongs = (test, file) => typeof test === "string" && test.startsWith(`${file}::`);

async function generated(file, { request, common, limits, record, measured }) {
  const ask = { ...common, path: file, seed: request.seed };
  let trouble = null;
  await runFile(ask, limits, (told) => {
    measured.take(told);
    if (told.kind === "load_error") trouble = told;
    else if (told.kind === "test" && belongs(told.test, file)) report(record, measured, told, request.coverage);
  });
  if (!trouble) return;
  // Something in the file can't be loaded: each of its tests stands for itself, and only those that can't be loaded fail.
  const text = fs.readFileSync(file, "utf8");
  const parts = alone(text);
  if (parts.length < 2) return void record("collect_error", { file, message: trouble.message });
  for (const part of parts) {
    fs.writeFileSync(file, part.text);
    await runFile(ask, limits, (told) => {
      measured.take(told);
      if (told.kind === "test" && belongs(told.test, file)) report(record, measured, told, request.coverage);
      if (told.kind === "load_error") {
        const title = `${file}::${part.title}`;
        for (const test of request.expected.filter((one) => one === title || one.startsWith(`${title} > `))) {
          record("collect_error", { file: test, message: told.message });
        }
      }
    });
  }
  fs.writeFileSync(file, text);
}

function report(record, measured, told, coverage) {
  if (told.killed) return record("killed", { test: told.test, message: told.message });
  const { test, status, duration_ms, message = "", raised = "", observed = "", in_test = false, frames = [] } = told;
  record("test", { test, status, duration_ms, message, raised, observed, in_test, frames });
  if (!coverage) return undefined;
  const footprint = measured.footprint(told.hits || {});
  return record("footprint", { test, ...footprint });
}

/** The project's source with marks in it, and what was hit. */
class Measured {
  constructor(request, record) {
    this.record = record;
    this.files = new Map();
    this.sizes = {};
    if (!request.coverage) return;
    const { marked, reading } = require("./qv_marks.cjs");
    this.reading = reading;
    for (const file of request.sources) {
      try {
        const made = marked(fs.readFileSync(file, "utf8"), file);
        if (!made) continue;
        fs.writeFileSync(file, made.text);
        this.files.set(file, { marks: made.marks, hits: new Uint8Array(made.marks.length) });
        this.sizes[file] = made.marks.length;
      } catch {
        // It is run as it is and not measured.
      }
    }
  }

  take(told) {
    for (const [file, numbers] of Object.entries(told.hits || {})) this.hit(file, numbers);
  }

  hit(file, numbers) {
    const known = this.files.get(file);
    if (known && Array.isArray(numbers)) for (const number of numbers) known.hits[number] = 1;
  }

  footprint(hits) {
    const lines = {};
    const branches = {};
    for (const [file, numbers] of Object.entries(hits)) {
      const known = this.files.get(file);
      if (!known || !Array.isArray(numbers)) continue;
      const found = new Uint8Array(known.marks.length);
      for (const number of numbers) found[number] = 1;
      const read = this.reading(known.marks, found);
      lines[file] = read.lines;
      branches[file] = read.branches;
    }
    return { lines, branches };
  }

  report(everything) {
    for (const [file, { marks, hits }] of this.files) {
      if (!everything && !hits.includes(1)) continue;
      const all = this.reading(marks, null);
      const some = this.reading(marks, hits);
      this.record("coverage", { file, lines: all.lines, covered: some.lines, branches: all.branches, covered_branches: some.branches });
    }
  }
}

main().then(
  () => process.exit(0),
  () => process.exit(3),
);
