/** Telegram's Bot API as far as alerts need it (https://core.telegram.org/bots/api). */
import { isoTime } from "../shared/clock.ts";
import { isRevoked, limitInForce } from "./faults.ts";
import { type Call, isRecord, json, parseJson, type Reply } from "./http.ts";
import { admit, type CallTimes, noCalls, UNLIMITED } from "./rate-limit.ts";
import type { VendorContext, Vendor } from "./vendor.ts";

interface Message {
  chat_id: string;
  text: string;
  at: number;
}

export function createTelegram({ clock, faults }: VendorContext): Vendor {
  const messages: Message[] = [];
  const calls = new Map<string, CallTimes>();

  function answer(call: Call): Reply {
    const [, token = "", method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(call.path) ?? [];
    if (token === "" || token === "wrong" || isRevoked(faults, call, token))
      return refuse(401, "Unauthorized");
    const { limit, refused } = limitInForce(faults, call, UNLIMITED);
    const window = calls.get(token) ?? noCalls();
    calls.set(token, window);
    if (!admit(window, limit, clock.now()).isAdmitted) {
      refused();
      const seconds = Math.ceil(limit.intervalMs / 1000);
      return refuse(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
    }
    switch (method.toLowerCase()) {
      case "getme":
        return accept({ id: 8480, is_bot: true, first_name: "Emulator", username: "emulator_bot" });
      case "getchat":
        return getChat(call);
      case "sendmessage":
        return sendMessage(call);
      default:
        return refuse(404, "Not Found");
    }
  }

  function getChat(call: Call): Reply {
    const { chat_id } = readParameters(call);
    if (!isId(chat_id)) return refuse(400, "Bad Request: chat_id is empty");
    return accept({ id: chat_id, type: "private" });
  }

  function sendMessage(call: Call): Reply {
    const { chat_id, text } = readParameters(call);
    if (!isId(chat_id)) return refuse(400, "Bad Request: chat_id is empty");
    if (typeof text !== "string" || text.trim() === "")
      return refuse(400, "Bad Request: message text is empty");
    // Telegram counts characters after entities are parsed; alerts are plain text.
    if (text.length > 4096) return refuse(400, "Bad Request: message is too long");
    const at = clock.now();
    messages.push({ chat_id: String(chat_id), text, at });
    return accept({
      message_id: messages.length,
      date: Math.floor(at / 1000),
      chat: { id: chat_id, type: "private" },
      text,
    });
  }

  return {
    answer,
    settings: { read: () => ({}), accept: {} },
    control: [
      {
        method: "GET",
        path: "/messages",
        answer: () =>
          json(
            200,
            messages.map((message) => ({ ...message, at: isoTime(message.at) })),
          ),
      },
    ],
  };
}

/** Parameters come as JSON, as a form or in the query. */
function readParameters(call: Call): Record<string, unknown> {
  if (call.headers["content-type"]?.includes("json")) {
    const body = parseJson(call.body);
    return isRecord(body) ? body : {};
  }
  return Object.fromEntries([...call.query, ...new URLSearchParams(call.body)]);
}

function isId(value: unknown): value is string | number {
  return typeof value === "number" || (typeof value === "string" && value !== "");
}

function accept(result: unknown): Reply {
  return json(200, { ok: true, result });
}

function refuse(error_code: number, description: string, parameters?: unknown): Reply {
  return json(error_code, { ok: false, error_code, description, parameters });
}
