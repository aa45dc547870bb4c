/** A portal with properties to write, and batch upserts into it. */
import { type App, connect, defineProperties, emulator } from "./client.ts";
import { emulated } from "../emulated.ts";

export const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
export const DATED = "/crm/objects/2026-09/0-1/batch/upsert";

export interface Input {
  id: string;
  idProperty?: string;
  properties: Record<string, unknown>;
  objectWriteTraceId?: string;
}

export async function portal() {
  const started = await emulator();
  const app = await connect(started);
  await defineProperties(app);
  return { ...app, contacts: emulated(started).hubspot.wholeContacts };
}

export function upsert({ api }: Pick<App, "api">, inputs: Input[], path = UPSERT) {
  return api("POST", path, { inputs: inputs.map((input) => ({ idProperty: "email", ...input })) });
}

/** The same inputs, each with a trace id of its own. */
export function traced(inputs: Input[]): Input[] {
  return inputs.map((input, index) => ({ ...input, objectWriteTraceId: `t${index}` }));
}

export const good = { id: "ann@example.com", properties: { score: "68" } };
