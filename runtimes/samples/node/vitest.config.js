import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/*.spec.js"], coverage: { provider: "v8", include: ["src/mean.js"], reporter: ["lcov", "text"] } },
});
