import { describe, expect, test } from "vitest";
import { type Page, type PageQuery, readPages } from "../../src/vendors/calling/pages.ts";

const WORDS = { label: "Lever", doing: "listing stages" };

/** A vendor whose pages are these, by what asks for them. */
function listOf(pages: Readonly<Record<string, Page<number>>>): (at: PageQuery) => Promise<Page<number>> {
  return async ({ page = "first" }) => pages[page] ?? { items: [], next: null };
}

describe("a list in pages", () => {
  test("is what all of them hold, in their order, empty ones too", async () => {
    const list = listOf({
      first: { items: [1, 2], next: { page: "b" } },
      b: { items: [], next: { page: "c" } },
      c: { items: [3], next: null },
    });
    expect(await readPages(list, WORDS)).toEqual([1, 2, 3]);
  });

  test.each([
    ["that leads back to a page before", { page: "first" }],
    ["that leads to itself", { page: "b" }],
  ])("one %s is an error that names the list", async (_what, next) => {
    const list = listOf({
      first: { items: [1], next: { page: "b" } },
      b: { items: [2], next },
    });
    await expect(readPages(list, WORDS)).rejects.toMatchObject({
      code: "VENDOR_UNEXPECTED",
      message: "Lever's pages go in a circle: listing stages was given up, and nothing was changed",
    });
  });

  test("of a vendor that heeds no query is noticed at the second page", async () => {
    let n = 0;
    const same = async () => {
      n += 1;
      return { items: [1, 2], next: { offset: String(2 * n) } };
    };
    await expect(readPages(same, WORDS)).rejects.toMatchObject({ code: "VENDOR_UNEXPECTED" });
    expect(n).toBe(2);
  });

  test("without an end is given up", async () => {
    let n = 0;
    const endless = async () => {
      n += 1;
      return { items: [n], next: { after: String(n) } };
    };
    await expect(readPages(endless, WORDS)).rejects.toMatchObject({
      code: "VENDOR_UNEXPECTED",
      message: expect.stringContaining("Lever's pages have no end (1000 were read)"),
    });
    expect(n).toBe(1_000);
  });
});
