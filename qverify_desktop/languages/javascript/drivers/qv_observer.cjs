// Calls the functions of one file with the inputs that were planned, in a process of its own, and tells what came of it.
"use strict";

const path = require("node:path");

const { request, tell } = require("./qv_telling.cjs").asked(process.argv[2]);
const loader = require("./qv_loader.cjs");
const { encoded, decoded } = require("./qv_values.cjs");

const root = process.cwd();
const exit = process.reallyExit.bind(process);

const stores = new Map();
Buffer.__qverify = (file) => {
  if (!stores.has(file)) stores.set(file, new Uint8Array(request.marks[file] || 1));
  return stores.get(file);
};

function hits() {
  const found = [];
  let raised = false;
  for (const [file, store] of stores) {
    const throwing = new Set(request.throwing[file] || []);
    for (let at = store.indexOf(1); at >= 0; at = store.indexOf(1, at + 1)) {
      found.push(`${file}:${at}`);
      raised = raised || throwing.has(at);
    }
    store.fill(0);
  }
  return { found, raised };
}

function subjectOf(target) {
  const given = require(path.join(root, target.file));
  const whole = given && given.__esModule && "default" in given ? given.default : given;
  const names = target.symbol.split(".");
  let holder = given;
  if (target.way === "default:" || target.way === "require-whole:") {
    names.shift();
    holder = target.way === "default:" ? whole : given;
  } else if (target.way === "default-member:") {
    holder = whole;
  }
  let self;
  for (const name of target.callee === "method" || target.callee === "property" ? names.slice(0, -1) : names) {
    self = holder;
    holder = holder[name];
  }
  return { self, value: holder, member: names[names.length - 1] };
}

/** One call: what it came to, ready to be told, and its marks. `null` where it says nothing that a test could hold to. */
async function observed(target, planned, made) {
  const given = planned.map(decoded);
  const before = JSON.stringify(planned.map((one) => encoded(decoded(one))));
  hits();
  const record = { target: target.id, made, arguments: planned, later: false };
  try {
    const { self, value, member } = subjectOf(target);
    let answer;
    if (target.callee === "property") answer = new value(...made.map(decoded))[member];
    else if (target.callee === "method") answer = new value(...made.map(decoded))[member](...given);
    else answer = value.apply(self, given);
    if (answer && typeof answer.then === "function") {
      record.later = true;
      answer = await answer;
    }
    const { found } = hits();
    if (answer === undefined && given.length && JSON.stringify(given.map((one) => encoded(one))) !== before) {
      return { found, record: { ...record, kind: "given", value: encoded(given[0]) } };
    }
    return { found, record: { ...record, kind: "value", value: encoded(answer) } };
  } catch (error) {
    const { found, raised } = hits();
    // What the project throws on purpose is its behaviour; an accident of a wrong input is not.
    if (!raised || !(error instanceof Error)) return null;
    return { found, record: { ...record, kind: "raises", name: String(error.name), message: String(error.message) } };
  }
}

async function main() {
  process.exit = () => {
    throw new Error("The code ended the process.");
  };
  process.on("uncaughtException", () => {});
  process.on("unhandledRejection", () => {});
  loader.install(root, null, null);
  // Loading has its own time; a call begins when everything is there.
  for (const file of new Set(request.targets.map((target) => target.file))) require(path.join(root, file));
  tell({ kind: "loaded" });
  const without = new Set(request.without);
  for (const target of request.targets) {
    const all = [];
    for (let number = 0; number < target.inputs.length; number++) {
      const name = `${target.id}#${number}`;
      if (without.has(target.id) || without.has(name)) continue;
      tell({ kind: "start", test: name });
      const made = target.made[number % target.made.length];
      const one = await observed(target, target.inputs[number], made);
      // One message of an error is as good as another.
      if (one) all.push({ ...one, answer: JSON.stringify([one.record.kind, one.record.value, one.record.name]) });
    }
    if (!without.has(target.id)) tell({ kind: "observed", target: target.id, records: chosen(all).map((one) => one.record) });
  }
}

/** Those that reach new marks first, then those that come to something new; in the order of the inputs. */
function chosen(all) {
  const marks = new Set();
  const answers = new Set();
  const kept = new Set();
  for (const one of all) {
    if (kept.size < request.most && one.found.some((mark) => !marks.has(mark))) {
      kept.add(one);
      answers.add(one.answer);
      one.found.forEach((mark) => marks.add(mark));
    }
  }
  for (const one of all) {
    if (kept.size < request.most && !answers.has(one.answer)) {
      kept.add(one);
      answers.add(one.answer);
    }
  }
  return all.filter((one) => kept.has(one));
}

main().then(
  () => {
    tell({ kind: "done" });
    exit(0);
  },
  (error) => {
    tell({ kind: "load_error", message: String(error) });
    exit(0);
  },
);
