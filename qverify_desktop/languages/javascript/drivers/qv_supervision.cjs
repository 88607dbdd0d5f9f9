// Starts workers, waits for what they tell, and ends those that hang. Runs no repository code.
"use strict";

const { spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const MOST_LINE = 4 * 1024 * 1024;
const MOST_ENDED = 200;

let serial = 0;

/** Records for the report, one JSON document a line. */
function journal(name) {
  const file = fs.openSync(path.join(process.env.QV_OUT, name), "a");
  return (kind, fields) => fs.writeSync(file, `${JSON.stringify({ kind, ...fields })}\n`);
}

/**
 * Run one worker to its end. `heard(record)` gets what it tells. Resolves to `{ hung, blamed, code, signal, errors }`:
 * `blamed` is the test that was running when it ended.
 */
function work(request, limits, heard, program = "qv_worker.cjs") {
  const asked = path.join("/tmp", `qverify-${process.pid}-${serial++}.json`);
  const word = randomBytes(16).toString("hex");
  fs.writeFileSync(asked, JSON.stringify({ word, request }), { mode: 0o600 });
  const flags = ["--no-warnings", "--stack-trace-limit=50"];
  if (request.hash_seed) flags.push(`--random-seed=${request.hash_seed}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, path.join(__dirname, program), asked], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, QV_OUT: "/tmp" },
    });
    let blamed = null;
    let hung = false;
    let rest = "";
    let errors = "";
    let finished = false;
    let timer;
    const end = () => {
      try {
        // Its whole group: what a test started must not outlive it.
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const wait = (seconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hung = true;
        end();
      }, Math.max(1, Math.min(seconds * 1000, limits.deadline - Date.now())));
    };
    wait(limits.import_s);
    child.stderr.on("data", (data) => (errors = (errors + data.toString("utf8")).slice(-4000)));
    child.stdio[3].setEncoding("utf8");
    child.stdio[3].on("data", (data) => {
      rest += data;
      const lines = rest.split("\n");
      rest = lines.pop();
      if (rest.length > MOST_LINE) rest = "";
      for (const line of lines) {
        if (!line.startsWith(`${word} `)) continue;
        let record;
        try {
          record = JSON.parse(line.slice(word.length + 1));
        } catch {
          continue;
        }
        if (!record || typeof record !== "object") continue;
        if (record.kind === "start") {
          blamed = String(record.test);
          wait(limits.test_s);
        } else if (record.kind === "test" || record.kind === "loaded") {
          blamed = null;
          wait(limits.import_s);
        } else if (record.kind === "done") {
          finished = true;
        }
        heard(record);
      }
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      end();
      fs.rmSync(asked, { force: true });
      resolve({ hung, blamed, code, signal, errors, finished });
    });
    child.on("exit", () => setTimeout(end, 100));
    child.on("error", () => resolve({ hung: false, blamed: null, code: 1, signal: null, errors: "it can't be started" }));
  });
}

/**
 * All tests of a file, whatever one of them does to its process: who ends it is reported and left out, and the others run
 * again. `tell(record)` gets `loaded`, `test` and `load_error` records. Resolves to whether the file was loaded.
 */
async function runFile(request, limits, tell) {
  const without = [];
  let loaded = false;
  for (let round = 0; round < MOST_ENDED && Date.now() < limits.deadline; round++) {
    let failed = false;
    const ended = await work({ ...request, without }, limits, (record) => {
      if (record.kind === "loaded") {
        if (!loaded) tell(record);
        loaded = true;
      } else if (record.kind === "test") {
        without.push(record.test);
        tell(record);
      } else if (record.kind === "load_error") {
        failed = true;
        tell(record);
      } else if (record.kind === "done") {
        tell(record);
      }
    });
    if (ended.finished || failed) return loaded;
    if (ended.blamed === null) {
      if (loaded && !ended.hung) continue;
      const why = ended.hung ? "Loading it took too long." : `Loading it ended the process. ${ended.errors.slice(-500)}`.trim();
      tell({ kind: "load_error", name: "", message: why, hits: {} });
      return loaded;
    }
    without.push(ended.blamed);
    const message = ended.hung
      ? `It ran longer than ${limits.test_s} seconds.`
      : `It ended the process (${ended.signal || `status ${ended.code}`}).`;
    tell({ kind: "test", test: ended.blamed, status: "error", message, duration_ms: 0, hits: {}, killed: true });
    if (request.once) return loaded;
  }
  return loaded;
}

/** Run `each` over `items`, so many at a time. */
async function inLanes(items, lanes, each) {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await each(item);
    }),
  );
}

module.exports = { journal, work, runFile, inLanes };
