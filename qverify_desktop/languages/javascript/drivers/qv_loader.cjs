// Loads the project's code: ECMAScript modules, TypeScript and JSX become CommonJS when they are required, so that one process
// loads all of them in the same way, and a name that a module lacks is `undefined` instead of the end of the whole file.
"use strict";

const Module = require("node:module");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const url = require("node:url");

const CACHE = process.env.QV_CACHE || "/tmp/qverify-compiled";
const ENDINGS = [".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"];
const TYPED = /\.(?:[cm]?ts|tsx|jsx)$/;
const MODULE_SYNTAX = /^[ \t;]*(?:import\b(?!\s*\()|export\b)|\bimport\.meta\b|\)\s*;\s*(?:import|export)\b/m;
const REPLACED = { ".js": [".ts", ".tsx", ".jsx"], ".jsx": [".tsx"], ".mjs": [".mts"], ".cjs": [".cts"] };

let typescript = null;
const ts = () => (typescript = typescript || require("/node_modules/typescript"));

/** Whether text must be compiled before Node.js can require it. */
function needsCompiling(text, file) {
  if (TYPED.test(file)) return true;
  if (file.endsWith(".cjs")) return false;
  return MODULE_SYNTAX.test(text) || (file.endsWith(".mjs") && !/\brequire\(/.test(text));
}

/** CommonJS for a file's text, with its map inside. Raises `SyntaxError`. */
function compiled(text, file) {
  if (!needsCompiling(text, file)) return text;
  const key = crypto.createHash("sha1").update(`${file}\0${text}`).digest("hex");
  const kept = path.join(CACHE, key);
  try {
    return fs.readFileSync(kept, "utf8");
  } catch {
    // Not compiled yet.
  }
  const made = compile(text, file);
  try {
    fs.mkdirSync(CACHE, { recursive: true });
    fs.writeFileSync(`${kept}.${process.pid}`, made);
    fs.renameSync(`${kept}.${process.pid}`, kept);
  } catch {
    // Without a cache it is only slower.
  }
  return made;
}

function compile(text, file) {
  const it = ts();
  const answer = it.transpileModule(text.replace(/\bimport\.meta\b/g, "__qvMeta(__filename)"), {
    fileName: /\.[jt]s$/.test(file) && !file.endsWith(".ts") ? `${file}x` : file,
    reportDiagnostics: true,
    compilerOptions: {
      module: it.ModuleKind.CommonJS,
      target: it.ScriptTarget.ES2022,
      moduleDetection: it.ModuleDetectionKind.Force,
      esModuleInterop: true,
      allowJs: true,
      jsx: it.JsxEmit.ReactJSX,
      experimentalDecorators: true,
      useDefineForClassFields: true,
      inlineSourceMap: true,
    },
  });
  const wrong = (answer.diagnostics || []).find((one) => one.category === it.DiagnosticCategory.Error && one.code < 2000);
  if (wrong) {
    const at = wrong.file ? wrong.file.getLineAndCharacterOfPosition(wrong.start || 0).line + 1 : 0;
    throw new SyntaxError(`${it.flattenDiagnosticMessageText(wrong.messageText, " ")} (${file}:${at})`);
  }
  return answer.outputText;
}

/** Names of `tsconfig.json`'s `paths`, each with the patterns that it stands for. */
function aliases(root) {
  try {
    const config = ts().parseConfigFileTextToJson("tsconfig.json", fs.readFileSync(path.join(root, "tsconfig.json"), "utf8"));
    const options = (config.config || {}).compilerOptions || {};
    const base = path.resolve(root, typeof options.baseUrl === "string" ? options.baseUrl : ".");
    const found = Object.entries(options.paths || {}).map(([name, to]) => [name, to.map((one) => path.resolve(base, one))]);
    return options.baseUrl ? [...found, ["*", [path.join(base, "*")]]] : found;
  } catch {
    return [];
  }
}

/** Folders of the repository's own packages by name, from the patterns of `workspaces` (`packages/*`) in `package.json`. */
function workspaces(root) {
  const found = new Map();
  const read = (folder) => {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    } catch {
      return {};
    }
  };
  const own = read(root);
  const listed = Array.isArray(own.workspaces) ? own.workspaces : (own.workspaces || {}).packages || ["packages/*"];
  for (const pattern of listed.filter((one) => typeof one === "string").slice(0, 100)) {
    const [before, after] = path.join(root, pattern).split("*");
    let folders = [before];
    try {
      if (after !== undefined) folders = fs.readdirSync(before).map((name) => before + name + after);
    } catch {
      continue;
    }
    for (const folder of folders) {
      const { name } = read(folder);
      if (typeof name === "string" && !found.has(name)) found.set(name, folder);
    }
  }
  return found;
}

/** Where a package of the repository, or a part of it, may be loaded from; it may name a build that is not there. */
function* ofWorkspace(request, known) {
  const name = request.split("/").slice(0, request.startsWith("@") ? 2 : 1).join("/");
  const folder = known.get(name);
  if (!folder) return;
  const rest = request.slice(name.length + 1);
  if (rest) yield* [path.join(folder, rest), path.join(folder, "src", rest)];
  else yield* [folder, path.join(folder, "src"), path.join(folder, "src/index"), path.join(folder, "index"), path.join(folder, "lib")];
}

function aliased(request, known) {
  for (const [name, targets] of known) {
    const [before, after] = name.split("*");
    const fits = after === undefined ? request === name : request.startsWith(before) && request.endsWith(after);
    if (fits) {
      const middle = after === undefined ? "" : request.slice(before.length, request.length - after.length);
      for (const target of targets) {
        const place = target.replace("*", middle);
        const found = [place, ...ENDINGS.map((ending) => place + ending), ...ENDINGS.map((e) => path.join(place, `index${e}`))];
        const file = found.find((one) => fs.existsSync(one) && fs.statSync(one).isFile());
        if (file) return file;
      }
    }
  }
  return null;
}

/**
 * Make `require` load all of it. `provided(request)` answers modules that are not loaded from files; `override` is a file
 * with the text to take in place of its own.
 */
function install(root, provided, override) {
  process.setSourceMapsEnabled(true);
  globalThis.__qvMeta = (file) => ({
    url: url.pathToFileURL(file).href,
    filename: file,
    dirname: path.dirname(file),
    env: process.env,
  });
  const native = Module._extensions[".js"];
  for (const ending of ENDINGS) {
    Module._extensions[ending] = (module, file) => {
      // The image's own tools are what they are; the compiler is one of them.
      if (file.startsWith("/node_modules/")) return native(module, file);
      const changed = override && file === path.join(root, override.file);
      const text = changed ? override.text : fs.readFileSync(file, "utf8");
      if (needsCompiling(text, file)) module._compile(compiled(text, file), file);
      else module._compile(text.startsWith("#!") ? `//${text}` : text, file);
    };
  }
  const resolve = Module._resolveFilename;
  let known = null;
  Module._resolveFilename = function (request, parent, ...rest) {
    try {
      return resolve.call(this, request, parent, ...rest);
    } catch (error) {
      const ending = path.extname(request);
      const relative = request.startsWith(".") || request.startsWith("/");
      for (const other of relative ? REPLACED[ending] || [] : []) {
        try {
          return resolve.call(this, request.slice(0, -ending.length) + other, parent, ...rest);
        } catch {
          // The first error is the one to tell.
        }
      }
      if (!relative) {
        known = known || { aliases: aliases(root), packages: workspaces(root) };
        const file = aliased(request, known.aliases);
        if (file) return file;
        for (const place of ofWorkspace(request, known.packages)) {
          try {
            return resolve.call(this, place, parent, ...rest);
          } catch {
            // The first error is the one to tell.
          }
        }
      }
      throw error;
    }
  };
  const load = Module._load;
  Module._load = function (request, ...rest) {
    const given = provided ? provided(request) : undefined;
    return given === undefined ? load.call(this, request, ...rest) : given;
  };
}

module.exports = { install, compiled, needsCompiling, ENDINGS };
