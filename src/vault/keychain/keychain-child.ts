/**
 * The process that talks to the OS keychain, one request a life. A keychain may never answer, and keytar's thread
 * then keeps its process from exiting at all; this one can be killed without loss. Secrets pass over stdin and stdout.
 */
import { readFileSync, writeSync } from "node:fs";
import { argv, kill, pid } from "node:process";
import * as v from "valibot";
import { type Keychain, readItem, SERVICE, writeItem } from "./keychain-items.ts";
import { type KeychainAnswer, KeychainRequest } from "./keychain-protocol.ts";

/** Where the parent was killed, nobody else ends this process. It waits so long itself, and is told so. */
const LONGEST_LIFE_MS = Number(argv[2] ?? 3_000) + 7_000;
const CANARY = "canary";

async function answerTo(input: string): Promise<KeychainAnswer> {
  const request = v.parse(KeychainRequest, JSON.parse(input));
  let keychain: Keychain;
  try {
    keychain = (await import("keytar")).default;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    return { unavailable: "module", reason, ...(code === undefined ? {} : { code }) };
  }
  try {
    return await carryOut(keychain, request);
  } catch (error) {
    return { unavailable: "keychain", reason: firstLine(error) };
  }
}

async function carryOut(keychain: Keychain, request: KeychainRequest): Promise<KeychainAnswer> {
  if (request.write.length > 0) await keychain.setPassword(SERVICE, CANARY, SERVICE);
  for (const [name, value] of request.write) await writeItem(keychain, name, value);
  const found: Record<string, string> = {};
  for (const name of request.read) {
    const value = await readItem(keychain, name);
    if (value !== null) found[name] = value;
  }
  return { found, canary: (await keychain.getPassword(SERVICE, CANARY)) !== null };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** Of what nobody expects, no words: they may quote the request, which holds secrets. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "an unknown error";
  return "code" in error ? `${error.name} ${String(error.code)}` : error.name;
}

setTimeout(() => kill(pid, "SIGKILL"), LONGEST_LIFE_MS).unref();
const answer = await Promise.resolve()
  .then(() => answerTo(readFileSync(0, "utf8")))
  .catch((error): KeychainAnswer => ({ unavailable: "keychain", reason: nameOf(error) }));
writeSync(1, JSON.stringify(answer));
