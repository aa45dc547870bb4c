/**
 * The vendors over real HTTP on loopback, for `emulator`, `demo`, `sandbox-test` and the tests. It imports nothing of
 * the product but `shared`, so that it cannot agree with the product's mistakes.
 */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Clock, systemClock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { type AnswerControl, createControl, type Performer } from "./control.ts";
import { type Fault, takeTurn } from "./faults.ts";
import { type Call, followUp, json, readCall, type Reply, send } from "./http.ts";
import type { EmulatorOptions } from "./vendor.ts";
import { type VendorName, VENDORS } from "./vendors.ts";

export type { EmulatorOptions } from "./vendor.ts";

/** Beside its own URL it has one for each vendor, to configure as that vendor's `api_base`. */
export interface Emulator extends Readonly<Record<VendorName, string>> {
  url: string;
  /** The same URLs by the vendors' names. */
  urls: Readonly<Record<VendorName, string>>;
  port: number;
  /** Ends at once, cutting the connections that are open. */
  close(): Promise<void>;
}

/** Everything that `reset` replaces. */
interface Emulated {
  end: AbortController;
  performers: ReadonlyMap<string, Performer>;
  control: AnswerControl;
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const clock = options.clock ?? systemClock;
  const closing = new AbortController();
  let world = createWorld();

  function createWorld(): Emulated {
    const performers = new Map<string, Performer>();
    const end = new AbortController();
    // Each delivery under way listens to it, and there is no leak in many.
    setMaxListeners(0, end.signal);
    for (const [name, create] of Object.entries(VENDORS)) {
      const faults: Fault[] = [];
      performers.set(name, {
        vendor: create({ options, clock, faults, signal: end.signal }),
        faults,
        requests: [],
      });
    }
    const reset = () => {
      end.abort();
      world = createWorld();
    };
    return { end, performers, control: createControl(performers, reset) };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readCall(request);
    if (!call) return send(response, json(413, { message: "the body is too large" }));
    const [, first = ""] = call.path.split("/", 2);
    const inside: Call = { ...call, path: call.path.slice(first.length + 1) || "/" };
    if (first === "_control") return send(response, await world.control(inside));
    const performer = world.performers.get(first);
    if (!performer) return send(response, first === "" ? indexPage(world) : notFound(call));
    const reply = await perform({ performer, call: inside, clock, signal: closing.signal });
    if (!reply.isCut) return send(response, reply);
    followUp(response, reply);
    response.socket?.destroy();
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      // A client that went away, or close() during a delay, needs no answer; anything else is the emulator's own bug.
      if (closing.signal.aborted || request.socket.destroyed || response.headersSent) response.destroy();
      else send(response, json(500, { message: `bug in the emulator: ${describeError(error)}` }));
    });
  });
  // Idle connections stay open: a pooled client must never meet a close that no fault asked for.
  server.keepAliveTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "another process listens there" : cause.code;
      const hint = "choose another --port, or 0 for any free one";
      reject(new AppError("USAGE", `cannot listen on port ${options.port ?? 0}: ${why}`, { hint, cause }));
    });
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const urls = urlsUnder(url);
  return {
    url,
    urls,
    ...urls,
    port,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        world.end.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function urlsUnder(url: string): Record<VendorName, string> {
  const names = Object.keys(VENDORS).map((name) => [name, `${url}/${name}`]);
  return Object.fromEntries(names) as Record<VendorName, string>;
}

/** Plays one call with the fault whose turn it is; `isCut` means that no answer is to be sent. */
async function perform(input: {
  performer: Performer;
  call: Call;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Reply & { isCut: boolean }> {
  const { performer, call, clock, signal } = input;
  const { vendor, faults, requests } = performer;
  const fault = takeTurn(faults, call);
  const at = clock.now();
  const reply = fault?.kind === "status" ? fault.reply : await vendor.answer(call);
  const status = fault?.kind === "drop" ? 0 : reply.status;
  requests.push({ method: call.method, path: call.path, status, at });
  if (fault?.kind === "drop") return { ...reply, isCut: true };
  if (fault?.kind === "delay") await clock.sleep(fault.delayMs, signal);
  return { ...(vendor.seal ? vendor.seal(reply) : reply), isCut: false };
}

function indexPage({ performers }: Emulated): Reply {
  const vendors = [...performers.keys()];
  return json(200, {
    name: "jc-integrations emulator",
    vendors: vendors.map((name) => `/${name}`),
    control: vendors.map((name) => `/_control/${name}/requests`),
  });
}

function notFound(call: Call): Reply {
  return json(404, { message: `there is nothing at ${call.path}; GET / lists what is here` });
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
