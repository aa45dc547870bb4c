import fc from "fast-check";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { type ArrayOf, arrayOf } from "../../src/postgres/arrays.ts";
import { describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import { tries } from "../tries.ts";

const ELEMENTS = {
  // PostgreSQL's text holds no NUL.
  text: fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
  bigint: fc.maxSafeInteger(),
  integer: fc.integer(),
  boolean: fc.boolean(),
  bytea: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
} as const satisfies Record<ArrayOf, fc.Arbitrary<unknown>>;
const KINDS = ["text", "bigint", "integer", "boolean", "bytea"] as const;

describeWithPostgres("an array", () => {
  test.each(KINDS)("of %s arrives as it was", async (of) => {
    const client = new Client({ connectionString: await (await postgresServer()).database() });
    await client.connect();
    onTestFinished(() => client.end());
    const elements = fc.array(fc.option(ELEMENTS[of] as fc.Arbitrary<string | number | boolean | Buffer>));
    await fc.assert(
      fc.asyncProperty(elements, async (given) => {
        const { rows } = await client.query(`SELECT $1::${of}[] AS them`, [arrayOf(of, given)]);
        const them = of === "bigint" ? numbers(rows[0].them) : rows[0].them;
        expect(them).toEqual(given);
      }),
      tries(50),
    );
  });
});

const numbers = (all: readonly (string | null)[]) => all.map((each) => (each === null ? null : Number(each)));

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 53])(
  "%d is no number that can be stored",
  (number) => {
    expect(() => arrayOf("bigint", [number])).toThrow(RangeError);
  },
);
