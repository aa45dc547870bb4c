/** `/_control`: how scripts and people look into the emulator and switch faults. The same calls for every vendor. */
import { isoTime } from "../shared/clock.ts";
import { describeFault, type Fault, readFault } from "./faults.ts";
import { type Call, empty, isRecord, json, parseJson, type Reply } from "./http.ts";
import { routeTable } from "./routes.ts";
import { changeSettings } from "./settings.ts";
import type { ControlRoute, Vendor } from "./vendor.ts";

export interface LoggedRequest {
  method: string;
  path: string;
  /** 0 when the connection was cut instead of an answer. */
  status: number;
  at: number;
}

/** A vendor with what was asked of it and what is wrong with it. */
export interface Performer {
  vendor: Vendor;
  faults: Fault[];
  requests: LoggedRequest[];
}

export type AnswerControl = (call: Call) => Reply | Promise<Reply>;

/** Answers calls whose path has lost its `/_control`. */
export function createControl(performers: ReadonlyMap<string, Performer>, reset: () => void): AnswerControl {
  const routes: ControlRoute[] = [
    {
      method: "POST",
      path: "/reset",
      answer: () => {
        reset();
        return empty(204);
      },
    },
  ];
  for (const [name, performer] of performers) {
    const own = [...commonRoutes(performer), ...performer.vendor.control];
    routes.push(...own.map((route) => ({ ...route, path: `/${name}${route.path}` })));
  }
  const find = routeTable(routes);
  return (call) => {
    const found = find(call.method, call.path);
    if (found) return found.route.answer(call, found.param);
    return json(404, {
      message: `there is no ${call.method} /_control${call.path}`,
      known: routes.map((route) => `${route.method} /_control${route.path}`),
    });
  };
}

function commonRoutes({ vendor, faults, requests }: Performer): ControlRoute[] {
  return [
    {
      method: "GET",
      path: "/requests",
      answer: () =>
        json(
          200,
          requests.map((request) => ({ ...request, at: isoTime(request.at) })),
        ),
    },
    { method: "GET", path: "/faults", answer: () => json(200, faults.map(describeFault)) },
    { method: "POST", path: "/faults", answer: (call) => postFault(faults, call) },
    {
      method: "DELETE",
      path: "/faults",
      answer: () => {
        faults.length = 0;
        return empty(204);
      },
    },
    { method: "GET", path: "/settings", answer: () => json(200, vendor.settings.read()) },
    {
      method: "POST",
      path: "/settings",
      answer: (call) => {
        const problem = changeSettings(vendor.settings, parseJson(call.body));
        return problem === undefined ? json(200, vendor.settings.read()) : badInput(problem);
      },
    },
  ];
}

function postFault(faults: Fault[], call: Call): Reply {
  const input = parseJson(call.body);
  if (isRecord(input) && input.revoked === false) {
    const others = faults.filter((fault) => fault.effect.kind !== "revoked");
    faults.splice(0, faults.length, ...others);
    return json(200, faults.map(describeFault));
  }
  const fault = readFault(input);
  if (typeof fault === "string") return badInput(fault);
  faults.push(fault);
  return json(201, describeFault(fault));
}

export function badInput(message: string): Reply {
  return json(400, { message });
}
