import { describe, expect, test } from "vitest";
import { at, hiddenDetails, textAt } from "./client.ts";
import { good, portal, traced, upsert } from "./upserts.ts";

describe("values", () => {
  /** What HubSpot makes of one value, or the code it refuses it with. */
  async function written(app: Awaited<ReturnType<typeof portal>>, name: string, value: unknown) {
    const answer = await upsert(app, traced([{ id: good.id, properties: { [name]: value } }]));
    if (answer.status === 200) return at(await app.contacts(), 0, "properties", name);
    return at(hiddenDetails(textAt(answer.body, "errors", 0, "message")), 0, "error");
  }

  test.each([
    ["score", "-12.5", "-12.5"],
    ["score", 68, "68"],
    ["score", "1.2.3", "INVALID_LONG"],
    ["score", "1e3", "INVALID_LONG"],
    ["score", " 5", "INVALID_LONG"],
    ["test_status", "completed", "completed"],
    ["test_status", " completed", "INVALID_OPTION"],
    ["tags", "invited;completed", "invited;completed"],
    ["tags", "invited;other", "INVALID_OPTION"],
    ["done_at", "2026-11-22T10:14:58Z", "2026-11-22T10:14:58Z"],
    ["done_at", "2026-11-22T10:14:58+02:00", "2026-11-22T08:14:58.000Z"],
    ["done_at", "1795300000000", "2026-11-21T22:26:40.000Z"],
    ["done_at", "yesterday", "INVALID_DATE"],
    ["born_on", "2026-11-22", "2026-11-22"],
    ["born_on", "1795305600000", "2026-11-22"],
    ["born_on", "1795305600001", "INVALID_DATE"],
    ["note", "x".repeat(65_536), "x".repeat(65_536)],
    ["note", "x".repeat(65_537), "STRING_TOO_LONG"],
    ["email", "ann@localhost", "INVALID_EMAIL"],
    ["email", "ann..lee@example.com", "INVALID_EMAIL"],
    ["email", "ann@exämple.com", "ann@exämple.com"],
  ])("%s takes %s as %s", async (name, value, expected) => {
    expect(await written(await portal(), name, value)).toBe(expected);
  });

  test("a leading semicolon adds to the checked boxes", async () => {
    const app = await portal();
    await written(app, "tags", "invited");
    expect(await written(app, "tags", ";completed")).toBe("invited;completed");
  });
});
