import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";

test("a click raises the level", async ({ page }) => {
  await page.coverage.startJSCoverage();
  await page.goto(`file://${join(__dirname, "page.html")}`);
  await page.getByRole("button", { name: "Higher" }).click();
  await expect(page.locator("output")).toHaveText("1");
  writeFileSync(join(process.env.QV_OUT ?? "/tmp", "coverage.json"), JSON.stringify(await page.coverage.stopJSCoverage()));
});

test("there is no network", async ({ page }) => {
  await expect(page.goto("http://192.0.2.1/")).rejects.toThrow(/net::ERR_/);
});
