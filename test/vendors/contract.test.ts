/**
 * Every declared vendor against the suites of what it brings, in each contract that our code speaks to it; its own part
 * stands in `<vendor>/example.ts`.
 */
import { describe, expect, test } from "vitest";
import { VERSIONS } from "../../src/vendors/hubspot/versions.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { KEYS } from "../../src/vendors/smartrecruiters/keys.ts";
import { describeDestination } from "./contract/destination.ts";
import { describeLookUp } from "./contract/look-up.ts";
import type { OtherExamples, VendorExample } from "./contract/examples.ts";
import { describeSource } from "./contract/source.ts";

for (const declared of VENDORS) {
  const { vendor } = declared;
  const { example, others = {} }: { example: VendorExample; others?: OtherExamples } = await import(
    `./${vendor}/example.ts`
  );
  const source = await declared.source?.();
  const contracts = [["its contract", example] as const, ...Object.entries(others)];

  describe.each(contracts)(`${vendor}, by %s`, (_name, each) => {
    test("has an example of each thing it brings", () => {
      const brings = (["source", "lookUp", "destination"] as const).filter((part) => declared[part]);
      expect(Object.keys(each).toSorted()).toEqual(brings.toSorted());
    });
    if (source && each.source) describeSource(source, each.source);
    if (declared.lookUp && each.lookUp) describeLookUp(declared, each.lookUp);
    if (declared.destination && each.destination) describeDestination(declared, each.destination);
  });
}

test("every contract that can be configured has its example", async () => {
  const { others: hubspot } = await import("./hubspot/example.ts");
  const { others: smartrecruiters } = await import("./smartrecruiters/example.ts");
  expect(Object.keys(VERSIONS)).toEqual(["v3", ...Object.keys(hubspot)]);
  const { profile } = KEYS.global;
  expect(profile.of.filter((name) => name !== "v201907")).toEqual([
    profile.default,
    ...Object.keys(smartrecruiters),
  ]);
});
