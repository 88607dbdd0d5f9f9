// Marks in source: what was run is known without a profiler, in the same way under every test runner, in JavaScript and TypeScript.
//
// Calls `__qv(n)` are put into the text before statements and into the arms of decisions. No line is added, so that traces and
// coverage speak of the lines of the file; types stay where they are. `Buffer.__qverify(path)` answers the array of hits,
// because `Buffer` is the one object that test runners share with the worlds they make for tests.
"use strict";

const ts = require("/node_modules/typescript");

const TYPESCRIPT = /\.[cm]?tsx?$/;

/** The text with marks, and what each mark stands for: `{ lines, branch, throws }`. `null` where it can't be parsed. */
function marked(text, path) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kindOf(path));
  if (source.parseDiagnostics && source.parseDiagnostics.length) return null;
  const state = { source, marks: [], inserts: [], branches: new Map(), path };
  const first = afterDirectives(source);
  for (const statement of source.statements.slice(first.count)) statementAt(state, statement, null);
  state.inserts.push({ at: first.at, close: true, text: header(path) });
  finish(state, text);
  return { text: inserted(text, state.inserts), marks: state.marks };
}

function kindOf(path) {
  if (/\.tsx$/.test(path)) return ts.ScriptKind.TSX;
  return TYPESCRIPT.test(path) ? ts.ScriptKind.TS : ts.ScriptKind.JSX;
}

function header(path) {
  const name = JSON.stringify(path);
  const store = "(globalThis.Buffer&&globalThis.Buffer.__qverify||(()=>[]))";
  if (!TYPESCRIPT.test(path)) return `;function __qv(n){(__qv.h||(__qv.h=${store}(${name})))[n]=1}`;
  const typed = "(((globalThis as any).Buffer&&(globalThis as any).Buffer.__qverify)||(()=>[]))";
  return `;function __qv(n:number):any{const f=__qv as any;(f.h||(f.h=${typed}(${name})))[n]=1}`;
}

/** Directives (`"use strict"`) must stay the first statements. */
function afterDirectives(source) {
  let count = 0;
  let at = (ts.getShebang(source.text) || "").length;
  while (count < source.statements.length) {
    const statement = source.statements[count];
    if (!ts.isExpressionStatement(statement) || !ts.isStringLiteral(statement.expression)) break;
    at = statement.getEnd();
    count++;
  }
  return { count, at };
}

const lineOf = (state, position) => state.source.getLineAndCharacterOfPosition(position).line + 1;

/** A mark for the lines of a node. Lines of what stands inside it and has a mark of its own are not the outer one's. */
function lineMark(state, node, outer, extra) {
  const mark = { start: lineOf(state, node.getStart(state.source)), end: lineOf(state, node.getEnd()), inner: [], ...extra };
  if (outer) outer.inner.push(mark);
  state.marks.push(mark);
  return { number: state.marks.length - 1, mark };
}

function branchMark(state, node) {
  const line = lineOf(state, node.getStart(state.source));
  const number = state.branches.get(line) || 0;
  state.branches.set(line, number + 1);
  state.marks.push({ branch: [line, number] });
  return state.marks.length - 1;
}

const open = (state, at, text) => state.inserts.push({ at, close: false, text });
const close = (state, at, text) => state.inserts.push({ at, close: true, text });

const UNMARKED = new Set([
  ts.SyntaxKind.FunctionDeclaration,
  ts.SyntaxKind.InterfaceDeclaration,
  ts.SyntaxKind.TypeAliasDeclaration,
  ts.SyntaxKind.ImportDeclaration,
  ts.SyntaxKind.ImportEqualsDeclaration,
  ts.SyntaxKind.ExportDeclaration,
  ts.SyntaxKind.NamespaceExportDeclaration,
  ts.SyntaxKind.EmptyStatement,
  ts.SyntaxKind.Block,
]);

function isAmbient(node) {
  return (ts.canHaveModifiers(node) ? ts.getModifiers(node) || [] : []).some(
    (modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword,
  );
}

function statementAt(state, node, outer) {
  if (isAmbient(node)) return;
  if (ts.isBlock(node)) return blockOf(state, node, outer);
  if (UNMARKED.has(node.kind)) return children(state, node, outer);
  const { number, mark } = lineMark(state, node, outer, ts.isThrowStatement(node) ? { throws: true } : {});
  open(state, node.getStart(state.source), `__qv(${number});`);
  if (ts.isEnumDeclaration(node)) return;
  compound(state, node, mark);
}

function blockOf(state, block, outer) {
  for (const statement of block.statements) statementAt(state, statement, outer);
}

/** A statement that belongs to another: braces around it, so that a mark can stand before it. */
function body(state, node, outer, branch) {
  const call = branch === null ? "" : `__qv(${branch});`;
  if (ts.isBlock(node)) {
    if (call) open(state, node.getStart(state.source) + 1, call);
    return blockOf(state, node, outer);
  }
  open(state, node.getStart(state.source), `{${call}`);
  statementAt(state, node, outer);
  close(state, node.getEnd(), "}");
}

function compound(state, node, mark) {
  if (ts.isIfStatement(node)) {
    expression(state, node.expression, mark);
    body(state, node.thenStatement, mark, branchMark(state, node));
    const otherwise = branchMark(state, node);
    if (node.elseStatement) body(state, node.elseStatement, mark, otherwise);
    else close(state, node.getEnd(), ` else{__qv(${otherwise});}`);
  } else if (ts.isIterationStatement(node, false)) {
    node.forEachChild((child) => {
      if (child !== node.statement) expression(state, child, mark);
    });
    body(state, node.statement, mark, null);
  } else if (ts.isLabeledStatement(node)) {
    compound(state, node.statement, mark);
  } else if (ts.isSwitchStatement(node)) {
    expression(state, node.expression, mark);
    for (const clause of node.caseBlock.clauses) {
      if (ts.isCaseClause(clause)) expression(state, clause.expression, mark);
      const colon = clause.getChildren(state.source).find((child) => child.kind === ts.SyntaxKind.ColonToken);
      if (colon) open(state, colon.getEnd(), `__qv(${branchMark(state, clause)});`);
      for (const statement of clause.statements) statementAt(state, statement, mark);
    }
  } else if (ts.isBlock(node)) {
    blockOf(state, node, mark);
  } else {
    children(state, node, mark);
  }
}

function children(state, node, outer) {
  node.forEachChild((child) => expression(state, child, outer));
}

const LOGICAL = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

function arm(state, node, outer, number) {
  open(state, node.getStart(state.source), `(__qv(${number}),`);
  expression(state, node, outer);
  close(state, node.getEnd(), ")");
}

function expression(state, node, outer) {
  if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
  if (ts.isBlock(node)) return blockOf(state, node, outer);
  if (ts.isModuleBlock(node)) return blockOf(state, node, outer);
  if (ts.isConditionalExpression(node)) {
    expression(state, node.condition, outer);
    arm(state, node.whenTrue, outer, branchMark(state, node));
    arm(state, node.whenFalse, outer, branchMark(state, node));
  } else if (ts.isBinaryExpression(node) && LOGICAL.has(node.operatorToken.kind)) {
    expression(state, node.left, outer);
    arm(state, node.right, outer, branchMark(state, node));
  } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    for (const parameter of node.parameters) expression(state, parameter, outer);
    const { number, mark } = lineMark(state, node.body, outer, {});
    arm(state, node.body, mark, number);
  } else {
    children(state, node, outer);
  }
}

const NOTHING = /^[\s\])};,]*$|^\s*(?:\/\/|\/?\*)/;

/** Lines of each mark: from its first to its last, without those of marks inside it and those that hold nothing. */
function finish(state, text) {
  const lines = text.split(/\r\n|\n|\r/);
  for (const mark of state.marks) {
    if (mark.branch) continue;
    mark.lines = [];
    const taken = new Set();
    for (const inner of mark.inner) for (let line = inner.start; line <= inner.end; line++) taken.add(line);
    for (let line = mark.start; line <= mark.end; line++) {
      if (line === mark.start || (!taken.has(line) && !NOTHING.test(lines[line - 1] || ""))) mark.lines.push(line);
    }
    delete mark.inner;
  }
}

/** Where an end and a beginning fall together, the end comes first. */
function inserted(text, inserts) {
  const ordered = inserts.map((insert, order) => ({ ...insert, order }));
  ordered.sort((a, b) => a.at - b.at || Number(b.close) - Number(a.close) || a.order - b.order);
  const parts = [];
  let last = 0;
  for (const insert of ordered) {
    parts.push(text.slice(last, insert.at), insert.text);
    last = insert.at;
  }
  parts.push(text.slice(last));
  return parts.join("");
}

/** What hits say: `{ lines, branches }`, or everything that could be hit where there are none. */
function reading(marks, hits) {
  const lines = new Set();
  const branches = new Map();
  marks.forEach((mark, number) => {
    if (hits && !hits[number]) return;
    if (mark.branch) branches.set(mark.branch.join(), mark.branch);
    else for (const line of mark.lines) lines.add(line);
  });
  return { lines: [...lines].sort((a, b) => a - b), branches: [...branches.values()] };
}

module.exports = { marked, reading };
