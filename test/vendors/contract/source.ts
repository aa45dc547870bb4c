import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NewEvent } from "../../../src/core/event.ts";
import type { SourceSecret } from "../../../src/core/source-secret.ts";
import { createIngest } from "../../../src/flows/intake/ingest.ts";
import { isAppError } from "../../../src/shared/errors.ts";
import { secret } from "../../../src/shared/secret.ts";
import { EventRefused, type Headers, type Source } from "../../../src/vendors/contract/source.ts";
import { NOON } from "../../core/example.ts";
import { openDirect, opened } from "../../store/world.ts";
import { verify } from "../delivery.ts";
import { tries } from "../../tries.ts";

/** One event as its vendor sends it. */
export interface SourceExample {
  /** As the vendor hands them out. */
  secrets: readonly [ours: string, other: string];
  /** Of that id and moment, about that org where the body names one. */
  event(of: EventOf): object;
  /** The same of a type that we do not know. */
  unknown(of: EventOf): object;
  /** The headers that the vendor signs with, all of which the signature covers. `isUnknown`: they name such a type. */
  headers(
    body: string,
    by: { secret: string; id: string; at: number; isUnknown?: boolean },
  ): Record<string, string>;
  /** When it was signed is all that is told of its moment, which is never later than its receipt. */
  isSignedTime?: true;
  tells: "snapshot" | "confirmation" | "question";
}

export interface EventOf {
  id: string;
  at: number;
  org: string;
}

const OF: EventOf = { id: "evt_1", at: NOON, org: "acme" };
/** In no message, whatever is refused. */
const CANARY = "canary-4711";

/** What every source owes, run against one. */
export function describeSource(source: Source, example: SourceExample): void {
  const [ours, other] = example.secrets;
  const held = (text: string, changes: Partial<SourceSecret> = {}): SourceSecret => ({
    ...{ org: "acme", environment: "production", secret: secret(text) },
    ...changes,
  });
  const told = (of: Partial<EventOf> = {}) => JSON.stringify(example.event({ ...OF, ...of }));
  const signedWith = (
    body: string,
    by: string,
    of: Partial<EventOf> & { isUnknown?: true } = {},
  ): Headers => {
    const { id, at, isUnknown = false } = { ...OF, ...of };
    return example.headers(body, { secret: by, id, at, isUnknown });
  };
  const signerOf = (headers: Headers, body: string, secrets = [held(ours)]) =>
    verify(source, { headers, body: Buffer.from(body) }, { secrets, now: NOON });
  const refusalOf = (headers: Headers, body: string, secrets = [held(ours)]): string => {
    try {
      signerOf(headers, body, secrets);
    } catch (error) {
      if (isAppError(error, "SIGNATURE_INVALID")) return error.message;
      throw error;
    }
    return "trusted";
  };
  const parse = (body: string | Buffer, of: Parameters<typeof signedWith>[2] = {}): NewEvent => {
    const { eventId, headers } = source.claim(signedWith(told(of), ours, of), NOON);
    const signer = {
      eventId,
      org: "acme",
      environment: "production",
      ...(headers ? { headers } : {}),
    } as const;
    return source.parse(Buffer.from(body), { ...signer, receivedAt: NOON + 1 });
  };
  /** "taken", or the reason why not; any other error rises. */
  const refusedBy = (body: string | Buffer): string => {
    try {
      parse(body);
    } catch (error) {
      if (error instanceof EventRefused) return error.message;
      throw error;
    }
    return "taken";
  };

  describe("as a source", () => {
    test("has a path and a secret of its own, and a bound for its bodies", () => {
      expect(source.path).toMatch(new RegExp(`^/${source.id}/[a-z]+$`));
      expect(source.secretName).toBe(`${source.id}.webhook-secret`);
      expect(source.largestBodyBytes).toBeGreaterThan(0);
      expect(source.largestBodyBytes).toBeLessThanOrEqual(1024 * 1024);
    });
  });

  describe("a webhook's signature", () => {
    const body = told();
    const headers = signedWith(body, ours);

    test("tells whose secret made it, among several", () => {
      const secrets = [held(other, { org: "globex" }), held(ours, { org: "acme", environment: "sandbox" })];
      expect(signerOf(headers, body, secrets)).toMatchObject({ org: "acme", environment: "sandbox" });
      expect(signerOf(headers, body, [held(ours, { org: null })]).org).toBeNull();
    });

    test("holds for a body in whatever pieces it came", () => {
      const claim = source.claim(headers, NOON);
      const pieces = [...Buffer.from(body)].map((byte) => Buffer.from([byte]));
      expect(claim.isBy(held(ours), pieces)).toBe(true);
      expect(claim.isBy(held(ours), [Buffer.from(body)])).toBe(true);
      expect(claim.isBy(held(ours), pieces.slice(1))).toBe(false);
    });

    test("of another secret, of no secret or of an empty one is refused", () => {
      expect(refusalOf(signedWith(body, other), body)).not.toBe("trusted");
      expect(refusalOf(headers, body, [])).not.toBe("trusted");
      for (const nothing of ["", " ", "whsec_"])
        expect(refusalOf(headers, body, [held(nothing)])).not.toBe("trusted");
    });

    test("does not fit when one byte was changed, whichever", () => {
      const bytes = Buffer.from(body);
      for (let index = 0; index < bytes.length; index += 1) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ 1;
        expect(source.claim(headers, NOON).isBy(held(ours), [changed])).toBe(false);
      }
    });

    test("that is missing, empty or nonsense is refused, and what is refused is not quoted", () => {
      for (const name of Object.keys(headers))
        for (const value of [undefined, "", " ", CANARY, `sha256=${CANARY}`, `v1,${CANARY}`]) {
          const message = refusalOf({ ...headers, [name]: value }, body);
          expect({ name, value, message }).not.toMatchObject({ message: "trusted" });
          expect(message).not.toContain(CANARY);
        }
    });

    test("that is refused quotes neither body nor secret", () => {
      const explained = refusalOf(signedWith(body, other), body.replace(/^\{/, `{"${CANARY}": 1, `));
      expect(explained).not.toContain(CANARY);
      for (const text of [ours, other]) expect(explained).not.toContain(text);
    });
  });

  describe("an event", () => {
    test("keeps its body byte for byte", () => {
      const body = told();
      expect(parse(body)).toMatchObject({
        source: source.id,
        eventId: expect.stringMatching(/./),
        at: NOON,
        receivedAt: NOON + 1,
        payload: body,
        bodyHash: createHash("sha256").update(body).digest("hex"),
      });
      expect(parse(body)).toEqual(parse(body));
    });

    test("is known by what was signed: the same id each time it comes, another for another event", () => {
      const { eventId } = parse(told());
      expect(parse(told()).eventId).toBe(eventId);
      expect(parse(told({ id: "evt_2" }), { id: "evt_2" }).eventId).not.toBe(eventId);
    });

    test(`tells by a ${example.tells}, and of the org whose secret signed`, () => {
      const { snapshot, confirmation, asks } = parse(told());
      const found = { snapshot, confirmation, question: asks };
      const told_ = Object.entries(found).filter(([, each]) => each !== null && each !== undefined);
      expect(told_.map(([name]) => name)).toEqual([example.tells]);
      expect(told_[0]?.[1]?.org).toBe("acme");
    });

    test("of a type that we do not know is taken, and tells nothing", () => {
      const { snapshot, confirmation, asks } = parse(JSON.stringify(example.unknown(OF)), {
        isUnknown: true,
      });
      expect({ snapshot, confirmation, asks }).toEqual({ snapshot: null });
    });

    test("without an id of its own is known by its body", () => {
      const [one, another] = [told(), told({ id: "evt_2", at: NOON + 1 })].map((body) =>
        source.idOfBody(Buffer.from(body)),
      );
      expect(one).toBe(source.idOfBody(Buffer.from(told())));
      expect(one).not.toBe(another);
    });

    test.each([
      ["no JSON", CANARY],
      ["half of it", told().slice(0, -1)],
      ["nothing", ""],
      ["no object", JSON.stringify([CANARY])],
      ["null", "null"],
      ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
      ["deeply nested", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ])("whose body is %s is refused with a reason that quotes nothing", (_what, body) => {
      const reason = refusedBy(body);
      expect(reason).not.toBe("taken");
      expect(reason).not.toContain(CANARY);
    });

    test("with any value missing or of another kind is taken or refused, in words without the value", () => {
      const event = example.event(OF);
      const nonsense = [undefined, null, CANARY, `${CANARY}\0`, "", " ", 7, -1e300, true, [], {}, [CANARY]];
      let refused = 0;
      for (const path of pathsIn(event))
        for (const value of nonsense) {
          const reason = refusedBy(JSON.stringify(changed(event, path, value)));
          if (reason !== "taken") refused += 1;
          expect(reason).not.toContain(CANARY);
        }
      expect(refused).toBeGreaterThan(0);
    });

    test("of any JSON at all is taken or refused", () => {
      fc.assert(
        fc.property(fc.json(), (body) => {
          expect(typeof refusedBy(body)).toBe("string");
        }),
        tries(100),
      );
    });
  });

  describe("through the intake", () => {
    async function intake(secrets: readonly SourceSecret[]) {
      const store = await opened(openDirect);
      const ingest = createIngest({ store, clock: { now: () => NOON } });
      const deliver = async (body: string, of: Partial<EventOf> = {}) => {
        const claim = source.claim(signedWith(body, ours, of), NOON);
        const delivered = { claim, body: [Buffer.from(body)], secrets, newest: async () => secrets };
        return await ingest(source, delivered).then(
          ({ outcome }) => outcome,
          (error: unknown) => {
            if (error instanceof EventRefused) return "refused";
            if (isAppError(error)) return error.code;
            throw error;
          },
        );
      };
      return { store, deliver };
    }

    test("an event is stored once, however often it comes", async () => {
      const { store, deliver } = await intake([held(ours)]);
      expect(await deliver(told())).toBe("stored");
      expect(await deliver(told())).toBe("known");
      expect(await deliver(told({ id: "evt_2" }), { id: "evt_2" })).toBe("stored");
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 2, ignored: 0 });
    });

    test("one that another secret signed is not", async () => {
      const { store, deliver } = await intake([held(other)]);
      expect(await deliver(told())).toBe("SIGNATURE_INVALID");
      expect((await store.overview("acme", NOON)).events.total).toBe(0);
    });

    test("no snapshot comes from the future, and none by a sandbox's secret alone", async () => {
      const ahead = NOON + 301_000;
      const { store, deliver } = await intake([held(ours)]);
      const ofSandbox = await intake([held(ours, { environment: "sandbox" })]);
      const outcomes = [await deliver(told({ at: ahead })), await ofSandbox.deliver(told())];
      const expected = {
        snapshot: ["refused", "SIGNATURE_INVALID"],
        question: [example.isSignedTime ? "stored" : "refused", "stored"],
        confirmation: ["stored", "stored"],
      };
      expect(outcomes).toEqual(expected[example.tells]);
      expect((await store.overview("acme", NOON)).invites).toBe(0);
    });
  });
}

/** Of every value in it, containers included. */
function pathsIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [[...path, key], ...pathsIn(each, [...path, key])]);
}

function changed(event: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(event);
  const holder = path.slice(0, -1).reduce<unknown>((each, key) => Reflect.get(Object(each), key), copy);
  Reflect.set(Object(holder), path.at(-1) ?? "", value);
  return copy;
}
