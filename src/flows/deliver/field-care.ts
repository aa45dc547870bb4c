/** A field that did not take a value costs that field, not the contact. */
import type { AgainAnswer, Answer } from "../../core/delivery/answer.ts";
import type { Connection, LeftOutField } from "../../core/connection.ts";
import { isAppError } from "../../shared/errors.ts";
import type { FieldLook, OwnFields, Update } from "../../vendors/contract/destination.ts";
import type { DeliverContext } from "./context.ts";

/** Judges one call's answers anew, in the order of its updates. */
export type CareForFields = (answers: readonly Answer[], updates: readonly Update[]) => Promise<Answer[]>;

/** So long where values are written a field may be unknown that was just created. */
const NEW_FIELD_MS = 60_000;
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Calls that are answered together share one look at a field. */
const LOOK_COUNTS_MS = 1_000;

/**
 * Looks at the fields that the answers blame. One that is there, and was made a moment ago, is tried again for a minute;
 * one that cannot take our values is left out from now on, and its records go again without it. Where it is gone, or our
 * value is to blame, the answers stay as they are.
 */
export function createFieldCare(context: DeliverContext, connection: Connection): CareForFields {
  const { ownFields } = context.destination;
  if (!ownFields) return async (answers) => [...answers];
  const lookAt = createLook(context, ownFields);
  const cureOf = async ({ name, isRefused }: Blamed): Promise<Cure | null> => {
    const look = await lookAt(name);
    if (!look?.isThere) return null;
    // The field takes such values, but not this one.
    if (look.unfit === null && !isRefused) return null;
    return await takeUp(context, connection, { name, unfit: look.unfit, names: ownFields.names });
  };
  return async (answers, updates) => {
    const cures = new Map<string, Promise<Cure | null>>();
    const cared = answers.map(async (answer, index) => {
      const blamed = blamedBy(answer, updates[index]);
      if (!blamed) return answer;
      const key = `${blamed.name} ${blamed.isRefused}`;
      const cure = cures.get(key) ?? cureOf(blamed);
      cures.set(key, cure);
      const found = await cure;
      return found ? againWith(answer, found) : answer;
    });
    return await Promise.all(cared);
  };
}

interface Blamed {
  name: string;
  /** The vendor refuses the field whatever its value, or does not know it. */
  isRefused: boolean;
}

/** A field that was sent, and that the vendor names as the reason. */
function blamedBy(answer: Answer, update: Update | undefined): Blamed | null {
  const isRefused = answer.kind === "held" && answer.cause === "property";
  const name = isRefused ? answer.detail : answer.kind === "rejected" ? answer.rejection.field : null;
  return name && update && Object.hasOwn(update.projection, name) ? { name, isRefused } : null;
}

type Look = (name: string) => Promise<FieldLook | null>;

/** Null where nobody can look now. */
function createLook({ clock, access }: DeliverContext, ownFields: OwnFields): Look {
  const seen = new Map<string, { at: number; look: ReturnType<Look> }>();
  const lookOnce: Look = async (name) => {
    try {
      return await ownFields.look(access, name);
    } catch (error) {
      if (isAppError(error)) return null;
      throw error;
    }
  };
  return (name) => {
    const known = seen.get(name);
    if (known && Math.abs(clock.now() - known.at) < LOOK_COUNTS_MS) return known.look;
    const look = lookOnce(name);
    seen.set(name, { at: clock.now(), look });
    return look;
  };
}

type Cure = Pick<AgainAnswer, "at" | "reason">;

async function takeUp(
  { store, clock }: DeliverContext,
  { id }: Connection,
  { name, unfit, names }: { name: string; unfit: string | null; names: readonly string[] },
): Promise<Cure | null> {
  const connection = await store.connection(id);
  if (!connection) return null;
  const now = clock.now();
  const age = now - (connection.fieldsMadeAt ?? Number.NEGATIVE_INFINITY);
  if (unfit === null && age >= 0 && age < NEW_FIELD_MS) {
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, age));
    return { at: now + waitMs, reason: `${name} is new, and not known yet where values are written` };
  }
  const field: LeftOutField =
    unfit === null
      ? { name, reason: "it is there, and refuses our values", isRefused: true }
      : { name, reason: unfit };
  const { knownFields, leftOut = [] } = connection;
  await store.saveConnection(connection, {
    knownFields: (knownFields ?? names).filter((known) => known !== name),
    leftOut: [...leftOut.filter((known) => known.name !== name), field],
  });
  return { at: now, reason: `${name} is left out from now on: ${field.reason}` };
}

function againWith(answer: Answer, cure: Cure): AgainAnswer {
  const { httpStatus, correlationId } =
    answer.kind === "rejected" ? answer.rejection : { httpStatus: null, correlationId: null };
  return { kind: "again", httpStatus, correlationId, ...cure };
}
