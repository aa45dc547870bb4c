/** All services of a place, of the built program, behind what a load balancer does. */
import { createServer, request } from "node:http";
import { onTestFinished } from "vitest";
import type { World } from "../world.ts";
import type { Place } from "./places.ts";
import { type Ended, launchService, type Service } from "./program.ts";

export interface Fleet {
  /** Where senders come in, whichever service takes what they send. */
  url: string;
  /** Null for one that was ended. */
  services: readonly (Service | null)[];
  /** Nothing new is led to it from then on. */
  end(service: number, signal: NodeJS.Signals): Promise<Ended>;
  start(service: number): Promise<void>;
}

/** Listens where the world's one service would. */
export async function launchFleet(place: Place, world: World): Promise<Fleet> {
  const services: (Service | null)[] = Array.from({ length: place.services }, () => null);
  const start = async (service: number) => {
    const own = { JC_SERVE_LISTEN: "127.0.0.1:0", JC_STATE_DIR: place.stateDirOf(world, service) };
    services[service] = await launchService({ ...world, env: { ...world.env, ...own } });
  };
  await Promise.all(services.map((_, service) => start(service)));
  let turn = 0;
  const next = () => {
    const living = services.filter((service) => service !== null);
    turn += 1;
    return living[turn % living.length]?.url ?? null;
  };
  return {
    url: await balancer(next, Number(world.env.JC_SERVE_LISTEN?.split(":").at(-1) ?? 0)),
    services,
    end: async (service, signal) => {
      const ended = services[service];
      if (!ended) throw new Error("there is no such service");
      services[service] = null;
      ended.child.kill(signal);
      return await ended.ended;
    },
    start,
  };
}

/** Leads each request to whatever `next` names; who gets no answer there is cut off. Returns its own address. */
async function balancer(next: () => string | null, port: number): Promise<string> {
  const server = createServer((asked, answer) => {
    const to = next();
    const cutOff = () => asked.socket.destroy();
    if (to === null) return void cutOff();
    const { method, headers, url = "/" } = asked;
    const onward = request(to + url, { method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.once("error", cutOff).pipe(answer);
    });
    onward.on("error", cutOff);
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}
