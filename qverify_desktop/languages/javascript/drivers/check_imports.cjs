// Which packages the project's files import and do not find. Nothing of them is loaded. Asked by `imports.json` beside it.
"use strict";

const fs = require("node:fs");
const { createRequire, builtinModules } = require("node:module");
const path = require("node:path");

const request = JSON.parse(fs.readFileSync(path.join(__dirname, "imports.json"), "utf8"));

/** Whether a folder of that name lies where a search from `file` looks; what the package gives away does not matter. */
function found(name, file) {
  if (builtinModules.includes(name)) return true;
  const places = createRequire(path.resolve(file)).resolve.paths(name) || [];
  return places.some((place) => fs.existsSync(path.join(place, name)));
}

const modules = {};
for (const [name, files] of Object.entries(request.modules)) {
  if (!files.some((file) => found(name, file))) modules[name] = files;
}
fs.writeFileSync(path.join(process.env.QV_OUT, "missing.json"), JSON.stringify({ modules }));
