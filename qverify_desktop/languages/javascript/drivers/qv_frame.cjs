// The interface of test files: `describe`, `test`, hooks, `expect`, `jest` and `vi`, as Jest, Vitest, Mocha and `node:test` have
// them in common. `expect` and mocks are Jest's own. What is not there raises `Unsupported`, and such a file is left to its
// own runner.
"use strict";

const util = require("node:util");

class Unsupported extends Error {
  constructor(what) {
    super(`${what} is not supported here`);
    this.name = "Unsupported";
  }
}

class Skip extends Error {}

const suite = (name, parent) => ({ name, parent, children: [], hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } });

function frame() {
  const root = suite("", null);
  let current = root;
  let focused = false;

  function titled(name) {
    return String(typeof name === "function" ? name.name : name).replace(/\[/g, "(").replace(/\]/g, ")").replace(/::/g, ":");
  }

  function group(marks) {
    return (name, ...rest) => {
      const inside = suite(titled(name), current);
      Object.assign(inside, marks);
      focused = focused || Boolean(marks.only);
      current.children.push(inside);
      const before = current;
      current = inside;
      try {
        const body = rest.find((one) => typeof one === "function");
        const answer = body ? body.call(context()) : undefined;
        if (answer && typeof answer.then === "function") throw new Unsupported("An asynchronous describe");
      } finally {
        current = before;
      }
    };
  }

  function single(marks) {
    return (name, ...rest) => {
      const body = rest.find((one) => typeof one === "function");
      const options = rest.find((one) => one && typeof one === "object") || {};
      const kept = { ...marks, skip: marks.skip || options.skip || options.todo, only: marks.only || options.only };
      focused = focused || Boolean(kept.only);
      current.children.push({ name: titled(name), parent: current, body, ...kept });
    };
  }

  /** `test.each` of Jest and Vitest: a table of arrays, of values, or a tagged template. */
  function each(make) {
    return (table, ...values) => {
      let rows = table;
      if (table && table.raw) {
        const names = table[0].split("|").map((one) => one.trim());
        rows = [];
        for (let at = 0; at < values.length; at += names.length) {
          rows.push([Object.fromEntries(names.map((name, index) => [name, values[at + index]]))]);
        }
      }
      return (name, body, ...rest) => {
        [...rows].forEach((row, index) => {
          const given = Array.isArray(row) ? row : [row];
          const first = given[0];
          const shown = String(name)
            .replace(/\$([A-Za-z_]\w*)/g, (all, key) => (first && typeof first === "object" && key in first ? util.inspect(first[key]) : all))
            .replace(/%#/g, String(index));
          make(/%[sdifjop]/.test(shown) ? util.format(shown.replace(/%p/g, "%o"), ...given).split(" [")[0] : shown, () => body(...given), ...rest);
        });
      };
    };
  }

  function variants(build, more) {
    const made = build({ ...more });
    made.skip = build({ ...more, skip: true });
    made.only = build({ ...more, only: true });
    made.todo = build({ ...more, skip: true });
    made.each = each(made);
    made.skip.each = each(made.skip);
    made.only.each = each(made.only);
    made.concurrent = made.sequential = made;
    made.skipIf = (condition) => (condition ? made.skip : made);
    made.runIf = (condition) => (condition ? made : made.skip);
    made.failing = made.fails = build({ ...more, fails: true });
    return made;
  }

  const hook = (kind) => (...given) => current.hooks[kind].push(given.find((one) => typeof one === "function"));
  const test = variants(single, {});
  const describe = variants(group, {});
  const withContext = variants(single, { context: true });
  const hooks = {
    beforeAll: hook("beforeAll"),
    afterAll: hook("afterAll"),
    beforeEach: hook("beforeEach"),
    afterEach: hook("afterEach"),
  };
  const mocks = lazily(mocking);
  const expecting = lazily(() => extended(require("./qv_expect.cjs").load().expect));
  const api = {
    test,
    it: test,
    describe,
    ...hooks,
    get expect() {
      return expecting();
    },
    get jest() {
      return mocks();
    },
    get vi() {
      return mocks();
    },
  };
  const node = Object.assign((...given) => withContext(...given), withContext, {
    test: withContext,
    it: withContext,
    describe,
    suite: describe,
    before: hooks.beforeAll,
    after: hooks.afterAll,
    beforeEach: hooks.beforeEach,
    afterEach: hooks.afterEach,
  });
  Object.defineProperty(node, "mock", { get: noMock });
  node.default = node;
  const globals = {
    ...hooks,
    test,
    it: test,
    describe,
    context: describe,
    suite: describe,
    specify: test,
    before: hooks.beforeAll,
    after: hooks.afterAll,
    setup: hooks.beforeEach,
    teardown: hooks.afterEach,
    suiteSetup: hooks.beforeAll,
    suiteTeardown: hooks.afterAll,
    xit: test.skip,
    xtest: test.skip,
    fit: test.only,
    xdescribe: describe.skip,
    fdescribe: describe.only,
  };
  for (const [name, value] of Object.entries(globals)) globalThis[name] = value;
  for (const name of ["expect", "jest", "vi"]) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => api[name], set: (value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true }) });
  }
  const modules = { "@jest/globals": api, vitest: api, "node:test": node };
  return { root, provided: (request) => modules[request], isFocused: () => focused };
}

function noMock() {
  throw new Unsupported("mock of node:test");
}

function lazily(make) {
  let made;
  return () => (made = made || make());
}

function extended(expect) {
  expect.extend({
    toHaveBeenCalledOnce: (spy) => ({ pass: spy.mock.calls.length === 1, message: () => "expected one call" }),
    toSatisfy: (value, holds) => ({ pass: Boolean(holds(value)), message: () => "expected the value to satisfy it" }),
    toBeTypeOf: (value, kind) => ({ pass: typeof value === kind, message: () => `expected a ${kind}` }),
  });
  expect.soft = expect;
  return expect;
}

/** What `jest` and `vi` have in common and what a process without a module registry can do. */
function mocking() {
  const { ModuleMocker } = require("./qv_expect.cjs").load();
  const mocker = new ModuleMocker(globalThis);
  const shared = {
    fn: mocker.fn.bind(mocker),
    spyOn: mocker.spyOn.bind(mocker),
    mocked: (value) => value,
    isMockFunction: mocker.isMockFunction.bind(mocker),
    clearAllMocks: () => (mocker.clearAllMocks(), shared),
    resetAllMocks: () => (mocker.resetAllMocks(), shared),
    restoreAllMocks: () => (mocker.restoreAllMocks(), shared),
    setTimeout: () => shared,
  };
  let timers;
  const faked = () => {
    if (!timers) {
      const { ModernFakeTimers } = require("/node_modules/@jest/fake-timers");
      timers = new ModernFakeTimers({ config: { fakeTimers: {}, rootDir: process.cwd() }, global: globalThis });
    }
    return timers;
  };
  Object.assign(shared, {
    useFakeTimers: () => (faked().useFakeTimers(), shared),
    useRealTimers: () => (timers && timers.useRealTimers(), shared),
    setSystemTime: (now) => (faked().setSystemTime(now), shared),
    advanceTimersByTime: (ms) => (faked().advanceTimersByTime(ms), shared),
    runAllTimers: () => (faked().runAllTimers(), shared),
    runOnlyPendingTimers: () => (faked().runOnlyPendingTimers(), shared),
    clearAllTimers: () => (faked().clearAllTimers(), shared),
    restore: () => mocker.restoreAllMocks(),
  });
  return new Proxy(shared, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "then") return target[name];
      throw new Unsupported(`jest.${String(name)}`);
    },
  });
}

/** `this` of a test in Mocha. */
function context() {
  const self = { timeout: () => self, slow: () => self, retries: () => self };
  self.skip = () => {
    throw new Skip();
  };
  return self;
}

/** Tests in their order: each with its id, and the suites around it. */
function collected(root, path, isFocused) {
  const found = [];
  const counts = new Map();
  const visit = (node, skipped, chosen) => {
    const skip = skipped || Boolean(node.skip);
    const only = chosen || Boolean(node.only);
    if (node.children) return node.children.forEach((child) => visit(child, skip, only));
    const names = [];
    for (let one = node; one && one.parent; one = one.parent) names.unshift(one.name);
    const base = `${path}::${names.join(" > ")}`.slice(0, 1900);
    const count = (counts.get(base) || 0) + 1;
    counts.set(base, count);
    const skips = skip || !node.body || (isFocused && !only);
    found.push({ id: count > 1 ? `${base} #${count}` : base, node, skips });
  };
  visit(root, false, false);
  return found;
}

function above(node) {
  const found = [];
  for (let one = node.parent; one; one = one.parent) found.unshift(one);
  return found;
}

/** Run a function of a test file: a promise, a callback `done`, or nothing to wait for. */
function called(body, given, self, takesContext) {
  const wanted = takesContext ? 1 : 0;
  if (body.length <= wanted) return body.apply(self, given);
  return new Promise((resolve, reject) => {
    const done = (error) => (error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve());
    done.fail = (error) => reject(error instanceof Error ? error : new Error(String(error)));
    const answer = body.apply(self, [...given, done]);
    if (answer && typeof answer.then === "function") answer.then(resolve, reject);
  });
}

/** Run one test with its hooks. `entered` are the suites whose `beforeAll` has run. Raises what fails. */
async function run(one, entered) {
  const suites = above(one.node);
  for (const around of suites) {
    if (!entered.has(around)) {
      entered.add(around);
      for (const each of around.hooks.beforeAll) await called(each, [], context(), false);
    }
  }
  const self = context();
  const given = one.node.context ? [testContext(one.node.name)] : [];
  try {
    for (const around of suites) for (const each of around.hooks.beforeEach) await called(each, [], self, false);
    await called(one.node.body, given, self, one.node.context);
  } finally {
    for (const around of [...suites].reverse()) for (const each of around.hooks.afterEach) await called(each, [], self, false);
  }
}

/** The first argument of a test of `node:test`. Its inner tests are steps of it. */
function testContext(name) {
  const it = {
    name,
    diagnostic() {},
    signal: new AbortController().signal,
    plan() {},
    todo() {},
    skip: () => {
      throw new Skip();
    },
    test: async (inner, ...rest) => {
      const body = rest.find((one) => typeof one === "function");
      if (body) await body(testContext(inner));
    },
  };
  Object.defineProperty(it, "mock", { get: noMock });
  it.before = it.after = it.beforeEach = it.afterEach = () => {
    throw new Unsupported("a hook inside a test");
  };
  it.assert = require("node:assert");
  return it;
}

module.exports = { frame, collected, run, Skip, Unsupported };
