// What one bad record costs the others: calls beyond those that a clean backfill of the same contacts needs.
import { bodyOf } from "./events.js";
import { openPortal, UPSERT } from "./portal.js";

const CONTACTS = 1_000;
const PER_CALL = 100;
const POISONS = (process.env.BENCH_POISONS ?? "1,5,20").split(",").map(Number);

const addressOf = (n) => `candidate.${n}@example.org`;
const refusing = (status, fields) => (n) => ({
  status,
  path: UPSERT,
  match: `"${addressOf(n)}"`,
  body: { status: "error", correlationId: "bench", ...fields(addressOf(n)) },
});

const KINDS = [
  {
    what: "named in a 207",
    goal: 0,
    // The emulator itself refuses the address, as HubSpot does.
    body: (n, isPoison) => (isPoison ? bodyOf(n).replace(addressOf(n), `no address ${n}`) : bodyOf(n)),
  },
  {
    what: "named in a whole 400",
    goal: 2,
    fault: refusing(400, (address) => ({
      message: `Invalid input: ${address}`,
      category: "VALIDATION_ERROR",
      context: { ids: [address] },
    })),
  },
  {
    what: "anonymous 400",
    goal: 2 * Math.log2(PER_CALL) + 2,
    fault: refusing(400, () => ({ message: "Invalid input JSON", category: "VALIDATION_ERROR" })),
  },
  {
    what: "anonymous 409",
    goal: 2 * Math.log2(PER_CALL) + 2,
    fault: refusing(409, () => ({ message: "Contact already exists", category: "CONFLICT" })),
  },
];

export async function poison({ log }) {
  const rows = [];
  for (const { what, goal, fault, body } of KINDS) {
    const perPoison = [];
    for (const poisons of POISONS) {
      const result = await measure(poisons, { fault, body: body ?? ((n) => bodyOf(n)) });
      perPoison.push(result.extra / poisons);
      log({ what, poisons, ...result });
    }
    const worst = Math.max(...perPoison);
    rows.push({
      what: `poison: ${what}`,
      median: `${worst.toFixed(1)} calls`,
      spread: perPoison.map((calls) => calls.toFixed(1)).join(", "),
      goal: goal === 0 ? "0" : `≤ ${goal.toFixed(goal % 1 ? 1 : 0)}`,
      isHeld: worst <= goal,
      notes: `per record, the worst of ${POISONS.join(", ")} among ${CONTACTS}`,
    });
  }
  return rows;
}

/** Spread evenly, so that a call holds as many of them as any. */
async function measure(poisons, { fault, body }) {
  const bad = new Set(
    Array.from({ length: poisons }, (_, index) => Math.floor(((index + 0.5) * CONTACTS) / poisons)),
  );
  const portal = await openPortal({ limit: "none", tier: "none" });
  try {
    await portal.importInvites(0, CONTACTS, (n) => body(n, bad.has(n)));
    await portal.connect();
    for (const n of fault ? bad : []) await portal.control("POST", "/faults", fault(n));
    const { seconds } = await portal.run(["backfill", "--yes"], { timeoutMs: 120_000, exits: [7] });
    const [delivered, rejected] = ["delivered", "rejected"].map(portal.countPushes);
    if (rejected !== poisons || delivered !== CONTACTS - poisons)
      throw new Error(`${delivered} delivered and ${rejected} rejected of ${CONTACTS} with ${poisons} bad`);
    const calls = (await portal.upserts()).length;
    return { calls, extra: calls - CONTACTS / PER_CALL, seconds };
  } finally {
    await portal.close();
  }
}
