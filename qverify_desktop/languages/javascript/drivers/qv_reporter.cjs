// A reporter of `node --test`: one JSON document a line for every test that is no suite.
"use strict";

module.exports = async function* report(source) {
  const names = [];
  const holding = new Set();
  for await (const { type, data } of source) {
    if (type === "test:start") {
      names.length = data.nesting;
      names[data.nesting] = data.name;
      if (data.nesting > 0) holding.add(names.slice(0, data.nesting).join("\0"));
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    const titles = [...names.slice(0, data.nesting), data.name];
    if (holding.has(titles.join("\0")) || (data.details && data.details.type === "suite")) continue;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const error = data.details && data.details.error;
    const message = error ? String((error.cause && error.cause.message) || error.message) : "";
    const status = skipped ? "skipped" : type === "test:pass" ? "passed" : "failed";
    yield `${JSON.stringify({ file: data.file, titles, status, duration: data.details && data.details.duration_ms, message })}\n`;
  }
};
