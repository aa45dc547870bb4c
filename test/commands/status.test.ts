import { expect, test } from "vitest";
import { connected, freshWorld } from "../world.ts";
test("probe", async () => {
  const world = await connected();
  for (const argv of [["--help"],["stauts"],["status","--jsno"],["invites"],["invites","show","nope","--json"],["config","show"],["config","path","--json"],["secrets","list","--json"],["secrets","list"],["run","swep"],["connect","hubpsot"],["status","--org","a b"],["vault","status"],["connect"],[],["secrets","remove","hubspot.client-secret","--number","2"],["invites","list"], ["secrets","set","hubspt.client-secret"],["connect","hubspot","--json","--sandbox"],["resync-properties","--json"],["status","extra"],["demo"]]) {
    const r = await world.run(argv);
    console.log("#", argv.join(" "), "→", r.code, "\nOUT", r.out, "\nERR", r.err);
  }
  expect(1).toBe(1);
});
