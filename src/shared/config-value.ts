/** One value of the configuration, wherever it is written: what a key of each kind takes. */
import { isIP } from "node:net";
import type { KeyKind, KeyValue } from "./config-keys.ts";
import { AppError, isAppError } from "./errors.ts";
import { notSafe, safeUrl } from "./url.ts";

/** Gets what is wrong, one error after the other; the first ends the reading where it throws. */
export type Fault = (error: AppError) => void;

/** Undefined where it is no value of that key, which `fault` hears. */
export function checkedValue(
  { fault }: { fault: Fault },
  value: unknown,
  key: KeyKind,
  where: string,
): KeyValue | undefined {
  try {
    return check(value, key, where);
  } catch (error) {
    if (!isAppError(error)) throw error;
    fault(error);
    return undefined;
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function check(value: unknown, key: KeyKind, where: string): KeyValue {
  const wrong = (expected: string) => new AppError("CONFIG_INVALID", `${where} must be ${expected}`);
  const written = typeof value === "bigint" ? Number(value) : value;
  switch (key.kind) {
    case "text":
      if (typeof written === "string" || typeof written === "number") return String(written);
      throw wrong("a text");
    case "url":
      if (typeof written === "string" && safeUrl(written)) return written;
      throw notSafe(...pathAndOrigin(where));
    case "choice":
      if (typeof written === "string" && key.of.includes(written)) return written;
      throw wrong(`one of ${key.of.join(", ")}`);
    case "choices": {
      const all = Array.isArray(written) ? written : typeof written === "string" ? written.split(",") : [];
      const named = all.map((each) => (typeof each === "string" ? each.trim() : ""));
      const isWell = named.length > 0 && named.every((each) => key.of.includes(each));
      if (isWell) return key.of.filter((each) => named.includes(each)).join(", ");
      throw wrong(`some of ${key.of.join(", ")}, as ["${key.of.join('", "')}"]`);
    }
    case "yes-no":
      if (written === true || written === "true") return true;
      if (written === false || written === "false") return false;
      throw wrong("true or false");
    case "number": {
      const number = typeof written === "string" && /^\d+$/.test(written) ? Number(written) : written;
      if (typeof number === "number" && Number.isInteger(number) && number >= key.min && number <= key.max)
        return number;
      throw wrong(`a whole number from ${key.min} to ${key.max}`);
    }
    case "duration": {
      const match = typeof written === "string" ? /^(\d+)([smh])$/.exec(written) : null;
      const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN);
      if (ms > 0) return ms;
      throw wrong("a duration, as 5m");
    }
    case "time-of-day": {
      const match = typeof written === "string" ? /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written) : null;
      if (match) return Number(match[1]) * 60 + Number(match[2]);
      throw wrong("a time of day in UTC, as 02:00");
    }
    case "address":
      if (typeof written === "string" && (isAddress(written) || (key.mayBeNone && written === "none")))
        return written;
      throw wrong(`host:port, as 127.0.0.1:8470${key.mayBeNone ? ", or none" : ""}`);
    case "networks": {
      const all = Array.isArray(written)
        ? written
        : typeof written === "string"
          ? written.split(",")
          : [null];
      const networks = all.map((each) => (typeof each === "string" ? each.trim() : null));
      const isWell = (each: string | null) =>
        each !== null && (isNetwork(each) || (networks.length === 1 && each === ""));
      if (networks.every(isWell)) return networks.join(", ");
      throw wrong('addresses or networks, as ["127.0.0.1", "10.0.0.0/8"]');
    }
  }
}

function isAddress(text: string): boolean {
  const [, port] = /^(?:\[[0-9a-f:]+\]|[^\s:]+):(\d{1,5})$/i.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

/** `log.level (JC_LOG_LEVEL)` in its two parts. */
function pathAndOrigin(where: string): [path: string, origin: string] {
  const [path = "", origin = ""] = where.split(/ (?=\()/, 2);
  return [path, origin];
}

function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 6 ? 128 : 32);
}
