import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Nets for what never ends; how long a test takes is the machine's affair.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 90_000 } },
    pool: "forks",
    // To load the program anew for each file takes longer than most of them; no test changes a module.
    isolate: false,
  },
});
