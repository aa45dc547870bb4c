/** Every declared vendor against the suites of what it brings; its own part stands in `<vendor>/example.ts`. */
import { describe, expect, test } from "vitest";
import { VENDORS } from "../../src/vendors/index.ts";
import { type DestinationExample, describeDestination } from "./contract/destination.ts";
import { describeLookUp, type LookUpExample } from "./contract/look-up.ts";
import { describeSource, type SourceExample } from "./contract/source.ts";

export interface VendorExample {
  source?: SourceExample;
  lookUp?: LookUpExample;
  destination?: DestinationExample;
}

for (const declared of VENDORS) {
  const { vendor } = declared;
  const { example }: { example: VendorExample } = await import(`./${vendor}/example.ts`);
  const source = await declared.source?.();

  describe(`${vendor}, by its contract`, () => {
    test("has an example of each thing it brings", () => {
      const brings = (["source", "lookUp", "destination"] as const).filter((part) => declared[part]);
      expect(Object.keys(example).toSorted()).toEqual(brings.toSorted());
    });
    if (source && example.source) describeSource(source, example.source);
    if (declared.lookUp && example.lookUp) describeLookUp(declared, example.lookUp);
    if (declared.destination && example.destination) describeDestination(declared, example.destination);
  });
}
