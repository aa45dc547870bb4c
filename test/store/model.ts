import { test } from "vitest";
import type { OpenStore } from "./world.ts";
export function describeModel(_open: OpenStore): void {
  test("x", () => {});
}
