// Observe what functions do with planned inputs. Runs inside the sandbox; asked by `observe.json` beside it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { work, inLanes } = require("./qv_supervision.cjs");
const { marked } = require("./qv_marks.cjs");
const { compiled } = require("./qv_loader.cjs");

const LANES = 2;
const MARGIN_MS = 5000;
const MOST_HUNG = 2;

async function main() {
  const request = JSON.parse(fs.readFileSync(path.join(__dirname, "observe.json"), "utf8"));
  const out = fs.openSync(path.join(process.env.QV_OUT, "observations.jsonl"), "a");
  const limits = { test_s: request.call_s, import_s: request.import_s, deadline: Date.now() + request.deadline_s * 1000 - MARGIN_MS };
  const marks = {};
  const throwing = {};
  for (const file of request.sources) {
    try {
      const made = marked(fs.readFileSync(file, "utf8"), file);
      if (!made) continue;
      fs.writeFileSync(file, made.text);
      marks[file] = made.marks.length;
      compiled(made.text, path.resolve(file));
      throwing[file] = made.marks.flatMap((mark, number) => (mark.throws ? [number] : []));
    } catch {
      // It is run as it is.
    }
  }
  const byFile = Map.groupBy ? Map.groupBy(request.targets, (target) => target.file) : grouped(request.targets);
  await inLanes([...byFile.values()], LANES, async (targets) => {
    const hung = new Map();
    let without = [];
    for (let round = 0; round < 60 && Date.now() < limits.deadline; round++) {
      const done = new Set();
      const ask = { targets, without, marks, throwing, most: request.most, hash_seed: Number(process.env.QV_SEED) || 1 };
      const ended = await work(ask, limits, (told) => {
        if (told.kind !== "observed" || !Array.isArray(told.records)) return;
        if (!targets.some((target) => target.id === told.target)) return;
        done.add(told.target);
        for (const record of told.records.slice(0, request.most)) fs.writeSync(out, `${JSON.stringify(record)}\n`);
      }, "qv_observer.cjs");
      without = [...without, ...done];
      if (ended.finished || ended.blamed === null) return;
      const target = ended.blamed.slice(0, ended.blamed.lastIndexOf("#"));
      hung.set(target, (hung.get(target) || 0) + 1);
      // A function that hangs again and again is left alone.
      without.push(hung.get(target) >= MOST_HUNG ? target : ended.blamed);
    }
  });
}

function grouped(targets) {
  const found = new Map();
  for (const target of targets) found.set(target.file, [...(found.get(target.file) || []), target]);
  return found;
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error && error.stack}\n`);
    process.exit(3);
  },
);
