import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Nets for what never ends; how long a test takes is the machine's affair.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: "forks",
    // To load the program anew for each file takes longer than most of them; no test changes a module.
    isolate: false,
  },
});
