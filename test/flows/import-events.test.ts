import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { importEvents } from "../../src/flows/intake/import-events.ts";
import { jobcannon } from "../../src/vendors/jobcannon/source.ts";
import { fakeClock } from "../fake-clock.ts";
import { connected, disc, freshWorld, invite, ndjson, type World } from "../world.ts";

const MIB = 1024 * 1024;
/** A line that is one event and longer than `bytes`. */
const longLine = (bytes: number) => JSON.stringify({ ...invite(), padding: "x".repeat(bytes) });

function importing(world: World, file: string, stdin?: string | AsyncIterable<string | Buffer>) {
  return world.run(["invites", "import", file, "--json"], stdin === undefined ? {} : { stdin });
}

const report = (read: number, stored: number, known: number, bad: object[] = []) => ({
  version: 1,
  read,
  stored,
  known,
  refused: 0,
  orgs: stored === 0 ? {} : { acme: stored },
  bad,
  warned: 0,
  warnings: [],
});

describe("an import", () => {
  test("takes the good lines and names the bad ones by number and reason, with 7", async () => {
    const world = await freshWorld();
    const lines = [
      invite(),
      "{oops",
      { type: "invite.completed", timestamp: "2024-05-15T10:15:00Z", data: {} },
      invite(),
      invite({ timestamp: "2999-01-01T00:00:00Z" }),
    ];
    const bad = [
      { line: 2, reason: "the body is not JSON" },
      { line: 3, reason: "data.candidate is missing" },
      { line: 5, reason: "timestamp is more than 5 minutes ahead of our clock" },
    ];
    const { code, json } = await importing(world, world.file("events.ndjson", lines));
    expect(code).toBe(7);
    expect(json).toEqual(report(5, 2, 0, bad));

    const { out, err } = await world.run(["invites", "import", "events.ndjson"]);
    expect(out).toContain("5 events read: 0 stored, 2 known before, 3 bad\n  line 2: the body is not JSON\n");
    expect(err).toContain("Error: 3 lines could not be taken\n  → Mend those lines");
  });

  test("names the orgs where events were not all of the one in use", async () => {
    const world = await freshWorld();
    const beta = invite({ org: "beta" });
    const lines = [invite(), invite(), beta];
    const { out } = await world.run(["invites", "import", world.file("three.ndjson", lines)]);
    expect(out).toBe(
      [
        "3 events read: 3 stored, 0 known before, 0 bad",
        "  stored: 2 for acme, 1 for beta",
        "  To look at another org's: jc-integrations invites list --org beta\n",
      ].join("\n"),
    );
    const { json } = await importing(world, world.file("more.ndjson", [beta, invite({ org: "beta" })]));
    expect(json).toEqual({ ...report(2, 1, 1), orgs: { beta: 1 } });
    const own = await world.run(["invites", "import", world.file("own.ndjson", [invite()])]);
    expect(own.out).toBe("1 event read: 1 stored, 0 known before, 0 bad\n");
  });

  test("shows twenty bad lines, and says how many more there are", async () => {
    const world = await freshWorld();
    const file = world.file(
      "events.ndjson",
      Array.from({ length: 30 }, () => "nonsense"),
    );
    const { out } = await world.run(["invites", "import", file]);
    expect(out.match(/^ {2}line \d+:/gm)).toHaveLength(20);
    expect(out).toContain("and 10 more (--json lists all)");
  });

  test("of the same file once more changes nothing, and tells the vendor nothing", async () => {
    const world = await connected();
    const file = world.file("events.ndjson", [invite(), invite(), invite()]);
    expect((await importing(world, file)).json).toEqual(report(3, 3, 0));
    await world.run(["run", "retry"]);
    const before = await ownStatus(world);
    const upserts = await world.portal.upserts();
    expect(upserts).not.toEqual([]);

    expect(await importing(world, file)).toMatchObject({ code: 0, json: report(3, 0, 3) });
    await world.run(["run", "retry"]);
    expect(await ownStatus(world)).toEqual(before);
    expect(await world.portal.upserts()).toEqual(upserts);
  });

  test("ignores blank lines and takes lines of either kind of end, but counts as an editor does", async () => {
    const world = await freshWorld();
    const [first, second] = [invite(), invite()].map((event) => JSON.stringify(event));
    const { json } = await importing(world, "-", `\n\r\n${first}\r\n\n${second}\nnonsense\r\n\n`);
    expect(json).toEqual(report(3, 2, 0, [{ line: 6, reason: "the body is not JSON" }]));
    expect((await importing(world, "-", `${first}\n${second}\r\n`)).json).toEqual(report(2, 0, 2));
  });

  test("takes a last line without an end, unless it stops halfway", async () => {
    const world = await freshWorld();
    const [first, second] = [invite(), invite()].map((event) => JSON.stringify(event));
    expect((await importing(world, "-", `${first}`)).json).toEqual(report(1, 1, 0));
    expect((await importing(world, "-", `${first}\n${second?.slice(0, -20)}`)).json).toEqual(
      report(2, 0, 1, [{ line: 2, reason: "the body is not JSON" }]),
    );
  });

  test("finds the ends of lines wherever the pieces of a stream are cut", async () => {
    const world = await freshWorld();
    const bytes = Buffer.from(ndjson([invite(), invite({ email: "zoë@example.org" }), "nonsense", invite()]));
    async function* byteByByte() {
      for (const byte of bytes) yield Buffer.from([byte]);
    }
    const { json } = await importing(world, "-", byteByByte());
    expect(json).toEqual(report(4, 3, 0, [{ line: 3, reason: "the body is not JSON" }]));
    expect((await world.run(["invites", "list", "--email", "zoë@example.org", "--reveal"])).out).toContain(
      "zoë@example.org",
    );
  });

  test("of an empty file is done at once", async () => {
    const world = await freshWorld();
    expect(await importing(world, world.file("empty", []))).toMatchObject({ code: 0, json: report(0, 0, 0) });
  });

  test.each([
    ["at its begin", "\ufeff", ""],
    ["in its midst, where files were put together", "", "\ufeff"],
  ])("skips a byte order mark %s: the lines are those of a file without", async (_, first, second) => {
    const world = await freshWorld();
    const lines = [invite(), invite()].map((event) => JSON.stringify(event));
    const marked = `${first}${lines[0]}\r\n${second}${lines[1]}\n`;
    expect(await importing(world, "-", marked)).toMatchObject({ code: 0, json: report(2, 2, 0) });
    expect((await importing(world, "-", lines.join("\n"))).json).toEqual(report(2, 0, 2));
  });

  test.each([
    ["UTF-16", Buffer.from(`\ufeff${ndjson([invite()])}`, "utf16le")],
    ["UTF-16", Buffer.from(`\ufeff${ndjson([invite()])}`, "utf16le").swap16()],
    ["UTF-16 without a byte order mark", Buffer.from(ndjson([invite()]), "utf16le")],
    ["compressed by gzip", gzipSync(ndjson([invite()]))],
  ])("of a file that is %s says so and names the cure", async (is, bytes) => {
    const world = await freshWorld();
    async function* stdin() {
      yield bytes;
    }
    const { code, out, err } = await world.run(["invites", "import", "-"], { stdin: stdin() });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(new RegExp(`the events are ${is}: .*\\n {2}→ Pipe the file through \`(iconv|zcat)`));
  });

  test("tells what it keeps and maps to nothing, with a count and on the invite", async () => {
    const world = await freshWorld();
    const odd = invite({
      invitation_id: "inv_odd",
      tests: [
        { ...disc(), result: { dimensions: [{ name: "Dominanz", score: 68 }], score: 7 } },
        { slug: "grit", status: "completed", result: { score: 50 } },
      ],
    });
    const file = world.file("odd.ndjson", [invite(), odd]);
    const warnings = [
      'disc: the dimension "Dominanz" (68) is kept and mapped to nothing',
      "disc: its score (7) is kept and mapped to nothing",
      'the test "grit" is unknown: its result is kept and mapped to nothing',
    ];
    const { code, json } = await importing(world, file);
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { stored: 2, warned: 1, warnings: [{ line: 2, org: "acme", invitationId: "inv_odd", warnings }] },
    });
    const { out } = await world.run(["invites", "import", file]);
    expect(out).toBe(
      [
        "2 events read: 0 stored, 2 known before, 0 bad",
        "  1 event with warnings:",
        `  line 2: ${warnings[0]} (and 2 more)`,
        "  To look at one: jc-integrations invites show inv_odd\n",
      ].join("\n"),
    );
    const shown = await world.run(["invites", "show", "inv_odd"]);
    for (const words of warnings) expect(shown.out).toContain(`- ${words}\n`);
  });

  test("of a line over 1 MiB refuses that line alone", async () => {
    const world = await freshWorld();
    const file = world.file("events.ndjson", [invite(), longLine(2 * MIB), invite(), longLine(MIB - 4_096)]);
    const { code, json } = await importing(world, file);
    expect(code).toBe(7);
    expect(json).toEqual(report(4, 3, 0, [{ line: 2, reason: "longer than 1 MiB" }]));
  });

  test("of what is no file says so", async () => {
    const world = await freshWorld();
    for (const path of ["nowhere.ndjson", "."])
      expect(await world.run(["invites", "import", path])).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringMatching(/cannot be read\n {2}→ Give a file of NDJSON, or - for stdin\.\n$/),
      });
  });

  test("holds one line at a time, however long the file is and its lines are", async () => {
    const chunk = Buffer.alloc(MIB, "x");
    const heldMib = () => {
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return (heapUsed + Math.max(external, arrayBuffers)) / MIB;
    };
    const before = heldMib();
    let most = 0;
    async function* halfAGigabyte() {
      for (let piece = 0; piece < 512; piece += 1) {
        most = Math.max(most, heldMib() - before);
        yield piece === 511 ? Buffer.from(`\n${ndjson([invite()])}`) : chunk;
      }
    }
    const taken: number[] = [];
    const done = await importEvents(
      {
        clock: fakeClock(),
        store: {
          append: async (events) => {
            taken.push(events.length);
            return events.map(() => ({ outcome: "stored", conflict: false }));
          },
        },
      },
      jobcannon,
      { input: halfAGigabyte(), onProgress: () => {}, signal: new AbortController().signal },
    );
    expect(done).toMatchObject({ read: 2, stored: 1, bad: [{ line: 1, reason: "longer than 1 MiB" }] });
    expect(taken).toEqual([1]);
    expect(most).toBeLessThan(64);
  });
});

/** All that is ours: how full the disk is, others decide. */
async function ownStatus(world: World): Promise<unknown> {
  const status = JSON.parse((await world.run(["status", "--json"])).out);
  return { ...status, disk: null };
}
