// A generated test file taken apart by its layout, even where it can't be parsed: one text for each test at its outer level.
"use strict";

const BLOCK = /^(?:test|it|describe)(?:\.\w+)*\(\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`)/gm;
const IMPORT = /^(?:import\s+|const\s+)(\{[^};]*\}|[\w$]+)\s*(?:from\s*|=\s*require\()\s*["'][^"'\n]*["']\)?;$/gm;

/** `[{ title, text }]` in the order of the file. */
function alone(text) {
  const starts = [...text.matchAll(BLOCK)];
  const head = starts.length ? text.slice(0, starts[0].index) : text;
  return starts.map((match, number) => {
    const end = number + 1 < starts.length ? starts[number + 1].index : text.length;
    const code = text.slice(match.index, end).replace(/\n(?:\/\/[^\n]*\n|\s*\n)*$/, "\n");
    return { title: titleOf(match[1]), text: pruned(head, code) + code };
  });
}

function titleOf(literal) {
  try {
    return String(JSON.parse(literal.replace(/^'|'$|^`|`$/g, '"')));
  } catch {
    return literal.slice(1, -1);
  }
}

/** What stands above the tests, without the names that are imported for others. Lines stay where they are. */
function pruned(head, code) {
  const used = (name) => new RegExp(`(?<![\\w$])${name.replace(/\$/g, "\\$")}(?![\\w$])`).test(code + head.replace(IMPORT, ""));
  return head.replace(IMPORT, (statement, bound) => {
    if (!bound.startsWith("{")) return used(bound) ? statement : "";
    const kept = bound
      .slice(1, -1)
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one && used(one.split(/\s+as\s+|:/).pop().trim()));
    return kept.length ? statement.replace(bound, `{ ${kept.join(", ")} }`) : "";
  });
}

module.exports = { alone };
