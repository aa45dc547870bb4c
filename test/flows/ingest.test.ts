/** What holds for every source's webhook, whatever the source itself looks at. */
import { describe, expect, test } from "vitest";
import type { SourceSecret } from "../../src/core/source-secret.ts";
import { createIngest } from "../../src/flows/intake/ingest.ts";
import { isAppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import { jobcannon } from "../../src/vendors/jobcannon/source.ts";
import { fakeClock } from "../fake-clock.ts";
import { openDirect, opened } from "../store/world.ts";
import { invite, ORG, sign, WEBHOOK_SECRET } from "../world.ts";

const PRODUCTION: SourceSecret = { org: null, environment: "production", secret: secret(WEBHOOK_SECRET) };
const SANDBOX: SourceSecret = { ...PRODUCTION, environment: "sandbox" };

async function outcomeOf(event: object, secrets: readonly SourceSecret[]): Promise<string> {
  const clock = fakeClock();
  const store = await opened(openDirect);
  const body = Buffer.from(JSON.stringify(event));
  const claim = jobcannon.claim(sign(body, WEBHOOK_SECRET, { at: clock.now() }), clock.now());
  const delivered = { claim, body: [body], secrets, newest: async () => secrets };
  const outcome = await createIngest({ store, clock })(jobcannon, delivered).then(
    (result) => result.outcome,
    (error: unknown) => {
      if (error instanceof Error) return isAppError(error) ? error.code : error.message;
      throw error;
    },
  );
  const { events } = await store.overview(ORG, clock.now());
  return events.total === Number(outcome === "stored") ? outcome : `${outcome}, but ${events.total} stored`;
}

describe("an invite's webhook", () => {
  test("is taken when production's secret signed it", async () => {
    expect(await outcomeOf(invite(), [PRODUCTION])).toBe("stored");
  });

  test("is refused when only a sandbox's secret signed it", async () => {
    expect(await outcomeOf(invite(), [SANDBOX])).toBe("SIGNATURE_INVALID");
  });

  test("is taken where both environments have the same secret, whichever is tried first", async () => {
    expect(await outcomeOf(invite(), [SANDBOX, PRODUCTION])).toBe("stored");
    expect(await outcomeOf(invite(), [PRODUCTION, SANDBOX])).toBe("stored");
  });

  test("is refused when the sandbox's secret is its org's, and production's another org's", async () => {
    const secrets = [
      { ...SANDBOX, org: ORG },
      { ...PRODUCTION, org: "globex" },
    ];
    expect(await outcomeOf(invite(), secrets)).toBe("SIGNATURE_INVALID");
  });

  test("from the future is refused, with what it says wrong", async () => {
    const timestamp = new Date(fakeClock().now() + 301_000).toISOString();
    const refusal = "timestamp is more than 5 minutes ahead of our clock";
    expect(await outcomeOf(invite({ timestamp }), [PRODUCTION])).toBe(refusal);
    expect(await outcomeOf({ type: "invite.renamed", timestamp }, [PRODUCTION])).toBe(refusal);
  });

  test("tells on the invite what it maps to nothing, as an import does", async () => {
    const clock = fakeClock();
    const store = await opened(openDirect);
    const event = invite({ tests: [{ slug: "grit", status: "completed", result: { score: 50 } }] });
    const body = Buffer.from(JSON.stringify(event));
    const claim = jobcannon.claim(sign(body, WEBHOOK_SECRET, { at: clock.now() }), clock.now());
    const secrets = [PRODUCTION];
    await createIngest({ store, clock })(jobcannon, {
      claim,
      body: [body],
      secrets,
      newest: async () => secrets,
    });
    const found = await store.invite(ORG, event.data.invitation_id);
    expect(found?.invite.warnings).toEqual([
      'the test "grit" is unknown: its result is kept and mapped to nothing',
    ]);
  });
});
