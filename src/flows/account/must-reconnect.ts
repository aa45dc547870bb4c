import { type Connection, connectionName } from "../../core/connection.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { connectCommand } from "../../core/advice/command-lines.ts";

/**
 * The vendor no longer takes our tokens: nothing is sent, nothing is lost, and `connect` releases all of it. False, and
 * nothing is changed, where a consent or a `disconnect` came meanwhile: the refusal was about tokens of before.
 */
export async function markMustReconnect(
  store: Pick<Store, "hold">,
  connection: Connection,
  { message }: AppError,
): Promise<boolean> {
  const { id, connectedAt } = connection;
  const why = message.replace(`${connectionName(connection)}: `, "");
  const held = await store.hold(id, {
    cause: "reconnect",
    connectedAt,
    changes: {
      state: "must_reconnect",
      banner: `must reconnect: ${why}. Run: ${connectCommand(connection)}`,
    },
  });
  return held !== null;
}
