// The project's own runners: Jest, Vitest, Mocha, `node --test`. They have the last word on files whose tests do not all pass in
// our workers, because such a file may need what only its runner has (module mocks, a DOM, snapshots, set-up files).
// Results are read from the runners' JSON.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const HITS = "/tmp/qverify-hits";
const OUT = "/tmp/qverify-runner.json";
const MOST_OUT = 32 * 1024 * 1024;
const FINE = new Set(["passed", "skipped"]);

const needsRunner = (outcomes) =>
  Boolean(outcomes.trouble) || [...outcomes.tests.values()].some((told) => !FINE.has(told.status));

/** Put the runners' outcomes in the place of ours, file by file. */
async function runOwn(request, own, measured, limits) {
  const files = [...own].filter(([, outcomes]) => needsRunner(outcomes)).map(([file]) => file);
  const byFolder = new Map();
  for (const file of files) {
    const folder = packageOf(file);
    byFolder.set(folder, [...(byFolder.get(folder) || []), file]);
  }
  for (const [folder, some] of byFolder) {
    const left = limits.deadline - Date.now();
    const command = commandOf(request.runner, folder, some);
    if (!command || left < 5000) continue;
    fs.rmSync(OUT, { force: true });
    fs.rmSync(HITS, { recursive: true, force: true });
    fs.mkdirSync(HITS, { recursive: true });
    fs.writeFileSync(path.join(HITS, "sizes.json"), JSON.stringify(measured.sizes));
    await run(command, folder, left * 0.8);
    collectHits(measured);
    for (const [file, found] of readResults(request.runner, folder)) {
      if (own.has(file)) own.set(file, joined(own.get(file), found));
    }
  }
}

/** The runner's outcomes with what our worker knows of each test: where it was reached, what it saw. */
function joined(ours, theirs) {
  const tests = new Map();
  for (const [id, told] of theirs.tests) {
    const known = ours.tests.get(id);
    const same = known && known.status === told.status;
    tests.set(id, same ? { ...known, duration_ms: told.duration_ms } : { ...told, hits: {} });
  }
  return tests.size || theirs.trouble ? { tests, trouble: tests.size ? "" : theirs.trouble } : ours;
}

function packageOf(file) {
  for (let folder = path.dirname(file); folder && folder !== "."; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, "package.json"))) return folder;
  }
  return ".";
}

function programOf(name, folder) {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const program = path.join(at, "node_modules", ".bin", name);
    if (fs.existsSync(program)) return program;
    if (at === path.dirname(at)) return null;
  }
}

function commandOf(runner, folder, files) {
  const inside = files.map((file) => path.relative(folder, file));
  if (runner === "node") {
    return [process.execPath, "--test", `--test-reporter=${path.join(__dirname, "qv_reporter.cjs")}`, `--test-reporter-destination=${OUT}`, ...inside];
  }
  const program = programOf(runner, folder);
  if (!program) return null;
  if (runner === "jest") {
    return [program, "--ci", "--json", `--outputFile=${OUT}`, "--coverage=false", "--no-watchman", "--cacheDirectory=/tmp/jest", "--maxWorkers=2", "--runTestsByPath", ...inside];
  }
  if (runner === "vitest") {
    // Vite writes into the nearest folder of packages, and the image's can't be written.
    fs.mkdirSync(path.join(folder, "node_modules"), { recursive: true });
    return [program, "run", "--reporter=json", `--outputFile=${OUT}`, "--coverage.enabled=false", "--pool=forks", ...inside];
  }
  return [program, "--reporter", "json", "--reporter-option", `output=${OUT}`, ...inside];
}

function run(command, folder, milliseconds) {
  const options = `${process.env.NODE_OPTIONS || ""} --require ${path.join(__dirname, "qv_preload.cjs")}`.trim();
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: folder,
      stdio: "ignore",
      detached: true,
      env: { ...process.env, NODE_OPTIONS: options, QV_HITS: HITS, QV_OUT: "/tmp" },
    });
    const end = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(end, milliseconds);
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    child.on("close", done);
    child.on("error", done);
  });
}

function collectHits(measured) {
  for (const name of fs.readdirSync(HITS)) {
    if (name === "sizes.json") continue;
    try {
      for (const [file, numbers] of Object.entries(JSON.parse(fs.readFileSync(path.join(HITS, name), "utf8")))) measured.hit(file, numbers);
    } catch {
      // A process that was killed while it wrote.
    }
  }
}

function readResults(runner, folder) {
  try {
    if (fs.statSync(OUT).size > MOST_OUT) return new Map();
    const text = fs.readFileSync(OUT, "utf8");
    if (runner === "node") return ofLines(text, folder);
    return runner === "mocha" ? ofMocha(JSON.parse(text)) : ofJest(JSON.parse(text));
  } catch {
    return new Map();
  }
}

const plain = (title) => String(title).replace(/\[/g, "(").replace(/\]/g, ")").replace(/::/g, ":");

function add(found, file, titles, told) {
  if (!found.has(file)) found.set(file, { tests: new Map(), trouble: "" });
  const { tests } = found.get(file);
  const base = `${file}::${titles.map(plain).join(" > ")}`.slice(0, 1900);
  let id = base;
  for (let number = 2; tests.has(id); number++) id = `${base} #${number}`;
  tests.set(id, { kind: "test", test: id, duration_ms: 0, message: "", ...told });
}

const cut = (text) => String(text || "").replace(/\u001b\[[0-9;]*m/g, "").slice(0, 3000);
const relative = (file) => path.relative(process.cwd(), file);
const whole = (number) => Math.max(0, Math.min(1e9, Math.round(Number(number) || 0)));

/** Jest's JSON, which Vitest writes too. */
function ofJest(document) {
  const found = new Map();
  for (const suite of document.testResults || []) {
    const file = relative(suite.name);
    for (const one of suite.assertionResults || []) {
      const status = one.status === "passed" ? "passed" : one.status === "failed" ? "failed" : "skipped";
      add(found, file, [...one.ancestorTitles, one.title], { status, duration_ms: whole(one.duration), message: cut((one.failureMessages || [])[0]) });
    }
    if (!(suite.assertionResults || []).length) found.set(file, { tests: new Map(), trouble: cut(suite.message) });
  }
  return found;
}

function ofMocha(document) {
  const found = new Map();
  const pending = new Set((document.pending || []).map((one) => one.fullTitle));
  for (const one of document.tests || []) {
    const raised = one.err && Object.keys(one.err).length;
    const status = pending.has(one.fullTitle) ? "skipped" : raised ? "failed" : "passed";
    const before = one.fullTitle.slice(0, Math.max(0, one.fullTitle.length - one.title.length)).trim();
    const told = { status, duration_ms: whole(one.duration), message: raised ? cut(one.err.message) : "" };
    if (one.file) add(found, relative(one.file), before ? [before, one.title] : [one.title], told);
  }
  return found;
}

function ofLines(text, folder) {
  const found = new Map();
  for (const line of text.split("\n")) {
    if (!line) continue;
    const { file, titles, status, duration, message } = JSON.parse(line);
    if (file) add(found, relative(path.resolve(folder, file)), titles, { status, duration_ms: whole(duration), message: cut(message) });
  }
  return found;
}

module.exports = { runOwn };
