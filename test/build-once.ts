import { execFileSync } from "node:child_process";

/** The tests that run the program as a person does run the built one: build it from the sources at hand. */
export function setup() {
  execFileSync(process.execPath, ["build.js"], { stdio: "inherit" });
}
