// Run each mutant against the tests named for it. Runs inside the sandbox; asked by `mutants.json` beside it.
//
// A mutant is put in the place of its file while a worker loads it; the file itself stays. Each worker is a fresh process, so
// nothing of one mutant is left for the next.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { journal, runFile, inLanes } = require("./qv_supervision.cjs");
const { compiled } = require("./qv_loader.cjs");
const { prepare } = require("./qv_expect.cjs");

const LANES = 2;
const MARGIN_MS = 4000;
/** So many workers pay for making what they share. */
const WORTH_PREPARING = 5;

const fileOf = (test) => test.slice(0, test.indexOf("::"));

function grouped(tests) {
  const found = new Map();
  for (const test of tests) {
    if (!found.has(fileOf(test))) found.set(fileOf(test), []);
    found.get(fileOf(test)).push(test);
  }
  return found;
}

async function main() {
  const request = JSON.parse(fs.readFileSync(path.join(__dirname, "mutants.json"), "utf8"));
  const record = journal("mutants.jsonl");
  const deadline = Date.now() + request.deadline_s * 1000 - MARGIN_MS;
  const common = { marks: {}, seed: 0, hash_seed: 1 };

  if (request.mutants.length > WORTH_PREPARING) prepare();

  // Tests that fail without a mutant say nothing about one.
  const passing = new Map();
  const loading = new Map();
  const everything = grouped(new Set(request.mutants.flatMap((mutant) => mutant.tests)));
  await inLanes([...everything], LANES, async ([file, only]) => {
    const began = Date.now();
    const limits = { test_s: request.test_s, import_s: request.import_s, deadline };
    await runFile({ ...common, path: file, only }, limits, (told) => {
      if (told.kind === "test" && told.status === "passed") passing.set(told.test, told.duration_ms);
      if (told.kind === "loaded") loading.set(file, Date.now() - began);
    });
  });

  await inLanes(request.mutants, LANES, async (mutant) => {
    const tests = mutant.tests.filter((test) => passing.has(test));
    const answer = (status, killedBy = []) => record("mutant", { mutant: mutant.id, status, killed_by: killedBy });
    if (!tests.length || Date.now() > deadline) return answer("not_run");
    const content = fs.readFileSync(mutant.file);
    const bytes = Buffer.concat([content.subarray(0, mutant.start), Buffer.from(mutant.replacement), content.subarray(mutant.end)]);
    const text = bytes.toString("utf8");
    try {
      // Kept for the workers, so that none of them needs the compiler.
      compiled(text, path.resolve(mutant.file));
    } catch {
      return answer("invalid");
    }
    const killers = new Set();
    let hung = false;
    let invalid = false;
    for (const [file, only] of grouped(tests)) {
      const slowest = Math.max(...only.map((test) => passing.get(test)));
      const limits = {
        test_s: Math.min(request.test_s, 2 + (slowest * 10) / 1000),
        import_s: Math.min(request.import_s, 5 + ((loading.get(file) || 0) * 10) / 1000),
        deadline,
      };
      const override = { file: mutant.file, text };
      await runFile({ ...common, path: file, only, override, once: true }, limits, (told) => {
        if (told.kind === "load_error") {
          if (told.name === "SyntaxError") invalid = true;
          else only.forEach((test) => killers.add(test));
        } else if (told.kind === "test" && told.status !== "passed" && told.status !== "skipped") {
          killers.add(told.test);
          hung = hung || Boolean(told.killed && /longer than/.test(told.message));
        }
      });
      // One that hangs costs its time in each test that reaches it; the first says enough.
      if (hung || invalid) break;
    }
    if (invalid) return answer("invalid");
    if (hung) return answer("timed_out", [...killers]);
    return killers.size ? answer("killed", [...killers]) : answer("survived");
  });
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error && error.stack}\n`);
    process.exit(3);
  },
);
