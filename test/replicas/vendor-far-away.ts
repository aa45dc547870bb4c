/** The emulator as machines reach it, which notes what it is told of whom, in which order and from where. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { issued } from "../certificates.ts";

export interface Told {
  email: string;
  dominance: number;
  /** The address of who told it. */
  by: string;
}

export interface FarVendor {
  told: Told[];
  /** What a machine is configured with that reaches it at that address. */
  environment(near: string): Record<string, string>;
}

const Batch = v.object({
  inputs: v.array(v.object({ id: v.string(), properties: v.looseObject({ jc_disc_d: v.string() }) })),
});

/** `hubspot`: the emulator's own. Each write takes it so long, so that some are always on their way. */
export async function vendorFarAway(
  hubspot: string,
  { at, writeMs }: { at: readonly string[]; writeMs: number },
): Promise<FarVendor> {
  const pair = issued({ names: at });
  const told: Told[] = [];
  const ports = new Map<string, number>();
  for (const near of at) {
    const tls = { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) };
    const server = createServer(tls, async (asked, answer) => {
      const cutOff = () => asked.socket.destroy();
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of asked) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString();
        if (asked.url?.endsWith("/batch/upsert")) {
          for (const { id, properties } of v.parse(Batch, JSON.parse(body)).inputs)
            told.push({
              email: id,
              dominance: Number(properties.jc_disc_d),
              by: asked.socket.remoteAddress ?? "",
            });
          await systemClock.sleep(writeMs);
        }
        const { method = "GET", headers } = asked;
        const kept = {
          authorization: headers.authorization ?? "",
          "content-type": headers["content-type"] ?? "",
        };
        const got = await fetch(hubspot + asked.url, { method, headers: kept, ...(body && { body }) });
        answer.writeHead(got.status, { "content-type": got.headers.get("content-type") ?? "text/plain" });
        answer.end(await got.text());
      } catch {
        cutOff();
      }
    });
    await once(server.listen(0, near), "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    ports.set(near, address.port);
  }
  return {
    told,
    environment: (near) => ({
      JC_HUBSPOT_API_BASE: `https://${near}:${ports.get(near)}`,
      JC_HUBSPOT_TIER: "paid",
      JC_NETWORK_CA_FILE: pair.certFile,
    }),
  };
}
