// Put the distribution's Chromium where Playwright looks for its own, so that a project's configuration works unchanged.
// usage: node browsers.js ROOT      (PLAYWRIGHT_BROWSERS_PATH is where Playwright will look, below ROOT)
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const root = process.argv[2];
const described = JSON.parse(fs.readFileSync("/node_modules/playwright-core/browsers.json", "utf-8"));
const shell = described.browsers.find((one) => one.name === "chromium-headless-shell");
const wanted = [
  chromium.executablePath(),
  // The headless shell has a folder of its own; its layout follows that of Chromium's.
  path.join(process.env.PLAYWRIGHT_BROWSERS_PATH, `chromium_headless_shell-${shell.revision}`, "chrome-headless-shell-linux64/chrome-headless-shell"),
  path.join(process.env.PLAYWRIGHT_BROWSERS_PATH, `chromium_headless_shell-${shell.revision}`, "chrome-linux/headless_shell"),
];
for (const file of wanted) {
  const place = path.join(root, file);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.symlinkSync("/usr/bin/chromium", place);
  fs.writeFileSync(path.join(path.dirname(path.dirname(place)), "INSTALLATION_COMPLETE"), "");
}
