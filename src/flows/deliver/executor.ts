import { claimInDoubt } from "../../core/advice/database.ts";
import type { Connection, Outage } from "../../core/connection.ts";
import type { DeliveryCommand, DeliveryEvent } from "../../core/delivery/events.ts";
import { windowFor } from "../../core/delivery/rate-window.ts";
import type { CallLimits, CountedCall } from "../../vendors/contract/access.ts";
import { createSlots, type Slots } from "../account/rate-window.ts";
import { createClaims } from "./claims.ts";
import type { DeliverContext } from "./context.ts";
import { createFieldCare } from "./field-care.ts";
import type { Ledger } from "./ledger.ts";

type CommandOf<Kind extends DeliveryCommand["kind"]> = Extract<DeliveryCommand, { kind: Kind }>;

export interface Executor {
  /** Begins what the command says, and returns at once; what comes of it is told as an event. */
  run(command: DeliveryCommand): void;
  /** Returns when all that was begun has ended. Throws the first thing that failed. */
  ended(): Promise<void>;
}

/** What is counted as asked until an event answers it. */
const ASKING: readonly DeliveryCommand["kind"][] = [
  "claim",
  "claim probe",
  "take slot",
  "open tick",
  "read outage",
];

/** Does what the delivery's decisions say. Answers that blame a field of the account are judged anew, by `field-care.ts`. */
export function createExecutor(
  context: DeliverContext,
  connection: Connection,
  { ledger, tell }: { ledger: Ledger; tell: (event: DeliveryEvent) => void },
): Executor {
  const perform = createPerform(context, connection, { ledger, tell });
  const begun = new Set<Promise<void>>();
  const failures: unknown[] = [];
  return {
    run: (command) => {
      const done = perform(command)
        .then(
          (event) => {
            if (event) tell(event);
          },
          (error: unknown) => {
            failures.push(error);
            const batch = "batch" in command ? { batch: command.batch } : {};
            tell({ kind: "broke", ...batch, isAsked: ASKING.includes(command.kind) });
          },
        )
        .finally(() => begun.delete(done));
      begun.add(done);
    },
    ended: async () => {
      while (begun.size > 0) await Promise.all(begun);
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Does what a command says; returns what came of it. What it asks of the store it asks before it waits for anything. */
function createPerform(
  context: DeliverContext,
  connection: Connection,
  { ledger, tell }: { ledger: Ledger; tell: (event: DeliveryEvent) => void },
): (command: DeliveryCommand) => Promise<DeliveryEvent | null> {
  const { store, clock, access } = context;
  const window = windowFor(context.destination, connection);
  const slots = window && createSlots(context, window);
  const claims = createClaims(context, connection, { ledger, window });
  const notes = createNotes(context, connection);
  const send = createSend(context, connection, { ledger, slots, tell });
  let timer = new AbortController();
  return async (command) => {
    switch (command.kind) {
      case "claim":
        return await claims.claim(command);
      case "claim probe":
        return await claims.claimProbe();
      case "prepare":
        return { kind: "prepared", batch: command.batch, empty: ledger.project(command.pushIds) };
      case "send":
        return await send(command);
      case "settle":
        await ledger.settle(command.ends);
        return null;
      case "take slot":
        return {
          kind: "slot taken",
          slot: await notes.inOrder(async () => (await slots?.take(access.signal)) ?? null),
        };
      case "free slots":
        for (const slot of command.slots) await slots?.free(slot);
        return null;
      case "open tick": {
        const isOurs = await notes.inOrder(() => store.mark(connection.id, "probe", command.dueAt));
        return { kind: "tick opened", isOurs };
      }
      case "read outage":
        return { kind: "outage read", outage: await notes.readOutage() };
      case "save outage":
        await notes.saveOutage(command.outage);
        return null;
      case "hasten":
        await notes.inOrder(() => store.release(connection.id, { putOff: true }, clock.now()));
        return null;
      case "wake":
        timer.abort();
        timer = new AbortController();
        return await clock.sleep(Math.max(0, command.at - clock.now()), timer.signal).then(
          () => ({ kind: "time came" }),
          () => null,
        );
      case "stop claiming":
        claims.stop();
        return null;
      case "finish":
        timer.abort();
        return null;
    }
  };
}

/** One call, with a slot taken before or on its way. Where it takes more than one, each has a slot of its own. */
function createSend(
  context: DeliverContext,
  connection: Connection,
  { ledger, slots, tell }: { ledger: Ledger; slots: Slots | null; tell: (event: DeliveryEvent) => void },
) {
  const { destination, access } = context;
  const careForFields = createFieldCare(context, connection);
  return async ({ batch, pushIds, goesAtOnce, slot: taken }: CommandOf<"send">): Promise<DeliveryEvent> => {
    let [unused, isInFlight] = [taken, goesAtOnce];
    const slot = async (limits?: CallLimits): Promise<CountedCall> => {
      const first = unused;
      unused = null;
      if (slots && first) {
        const paced = await slots.use(first, access.signal);
        return limits ? both(paced, await access.slot(limits)) : paced;
      }
      const call = await access.slot(limits);
      if (!isInFlight) tell({ kind: "went", batch });
      isInFlight = true;
      return call;
    };
    const updates = ledger.updatesOf(pushIds);
    const beforeWrite = () => {
      if (!ledger.areOurs(pushIds)) throw claimInDoubt();
    };
    const result = await destination.send({ ...access, slot, beforeWrite }, updates).finally(async () => {
      if (unused) await slots?.free(unused);
    });
    const answers = await careForFields(result.answers, updates);
    ledger.noteAnswers(pushIds, { ...result, answers });
    return { kind: "answered", batch, answers };
  };
}

function both(one: CountedCall, other: CountedCall): CountedCall {
  return {
    ended: async () => {
      await one.ended();
      await other.ended();
    },
  };
}

/** What all processes know of the connection's outage: read and written one after the other. */
function createNotes({ store }: DeliverContext, connection: Connection) {
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  const asNoted = () => store.connection(connection.id);
  return {
    inOrder,
    readOutage: () => inOrder(async () => (await asNoted())?.outage ?? null),
    saveOutage: (outage: Outage | null) =>
      inOrder(async () => {
        // A consent that came meanwhile begins anew: what failed before it keeps nobody waiting.
        if ((await asNoted())?.connectedAt !== connection.connectedAt) return;
        await store.saveConnection(connection, { outage });
      }),
  };
}
