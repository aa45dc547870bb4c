/** Where `serve` is to listen, and somebody else does already. */
import { connect } from "node:net";
import type { Config } from "../../../shared/config.ts";

export interface TakenPort {
  key: "serve.listen" | "serve.admin_listen";
  address: string;
}

const LONGEST_WAIT_MS = 1_000;

/** By knocking: to listen there ourselves, for however short, would keep a service from starting. */
export async function lookAtPorts(
  config: Pick<Config, TakenPort["key"]>,
  signal: AbortSignal,
): Promise<TakenPort[]> {
  const keys = ["serve.listen", "serve.admin_listen"] as const;
  const asked = await Promise.all(
    keys.map(async (key) => ({ key, address: config[key], isTaken: await isTaken(config[key], signal) })),
  );
  return asked.filter((each) => each.isTaken).map(({ key, address }) => ({ key, address }));
}

async function isTaken(address: string, signal: AbortSignal): Promise<boolean> {
  const [, host = "", port = "0"] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  if (Number(port) === 0) return false;
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port: Number(port), signal });
    const end = (isThere: boolean) => {
      resolve(isThere);
      socket.destroy();
    };
    socket.setTimeout(LONGEST_WAIT_MS, () => end(false));
    socket.on("connect", () => end(true)).on("error", () => end(false));
  });
}
