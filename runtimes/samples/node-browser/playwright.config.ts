import { defineConfig } from "@playwright/test";

export default defineConfig({ testMatch: "*.spec.ts", workers: 1, timeout: 60_000, use: { browserName: "chromium" } });
