import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { AppError, isAppError } from "../../shared/errors.ts";
import { unfitNativePart } from "../../shared/native-part.ts";
import { plain } from "../../shared/text.ts";
import { KeychainAnswer, type KeychainRequest } from "./keychain-protocol.ts";
import type { Host } from "../contract.ts";

export interface KeychainCallOptions {
  host: Host;
  childUrl: URL;
}

type Found = Extract<KeychainAnswer, { canary: boolean }>;

const TIMEOUT_MS = 3_000;
/** For a person to find the dialog and to type a password. */
const PERSON_TIMEOUT_MS = 60_000;
const DIALOG_NOTICE =
  "The OS keychain does not answer yet: is a dialog waiting for you to unlock it? It has a minute; Ctrl-C ends it.";
/** What the keychain's own libraries need to find it; nothing that could hold a secret of ours. */
const PASSED_ON = [
  ...["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "HOME", "PATH", "LANG"],
  ...["SystemRoot", "USERPROFILE", "APPDATA", "LOCALAPPDATA"],
];
const SEALED_INSTEAD = 'set [vault] backend = "sealed" with a key_file';

/**
 * One request at a time, each in a child process of its own. When the keychain stays silent, those who queued behind
 * that request fail with it: they would only meet the same silence, one after the other.
 */
export function keychainCaller(options: KeychainCallOptions) {
  let turn: Promise<unknown> = Promise.resolve();
  let hasAnswered = false;
  return async (request: KeychainRequest): Promise<Found> => {
    const mine = turn.then(async () => {
      const answer = await ask(options, request);
      if (!("canary" in answer)) throw trouble(answer, { hasAnswered });
      hasAnswered = true;
      return answer;
    });
    const next = mine.catch((error: unknown) => {
      if (isSilence(error) && turn !== next) throw error;
    });
    next.catch(() => {});
    turn = next;
    return await mine;
  };
}

async function ask(
  { host, childUrl }: KeychainCallOptions,
  request: KeychainRequest,
): Promise<KeychainAnswer> {
  const env = childEnvironment(host);
  if (host.platform === "linux" && !env.DBUS_SESSION_BUS_ADDRESS) throw noBus();
  const output = await runChild(host, { childUrl, env, input: JSON.stringify(request) });
  // A program of another version may stand in its place by now.
  const answer = v.safeParse(KeychainAnswer, jsonOrNull(output));
  if (answer.success) return answer.output;
  throw new AppError("VAULT_UNAVAILABLE", "The program was replaced while this one runs", {
    hint: "Start this one again.",
  });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A module that answered before is being replaced now, or was: that passes, or a restart mends it. */
function trouble(
  { unavailable, reason, code }: Exclude<KeychainAnswer, Found>,
  { hasAnswered }: { hasAnswered: boolean },
): AppError {
  const words = reason.split("\n", 1)[0] ?? "";
  if (unavailable === "keychain") return refused(words);
  const unfit = hasAnswered ? null : unfitNativePart("keytar", Object.assign(new Error(reason), { code }));
  return unfit ?? noModule(words);
}

function childEnvironment({ env }: Host): Record<string, string> {
  const passed = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  // A service manager's session has its bus at a well-known place and need not name it.
  const userBus = join(env.XDG_RUNTIME_DIR ?? "/nonexistent", "bus");
  const named = existsSync(userBus) ? { DBUS_SESSION_BUS_ADDRESS: `unix:path=${userBus}` } : {};
  return { ...named, ...passed };
}

function runChild(
  { nodePath, person }: Host,
  child: { childUrl: URL; env: Record<string, string>; input: string },
): Promise<string> {
  const timeout = person ? PERSON_TIMEOUT_MS : TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const running = execFile(
      nodePath,
      [fileURLToPath(child.childUrl), String(timeout)],
      { env: child.env, timeout, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024 },
      (error, stdout) => {
        clearTimeout(notice);
        person?.signal.removeEventListener("abort", stop);
        if (!error) return resolve(stdout);
        // A terminal's Ctrl-C reaches this process and that one.
        if (person?.signal.aborted && error.signal) return reject(person.signal.reason);
        // Its output is not for error messages: it may be half an answer, with a secret in it.
        reject(
          error.killed ? silence(timeout) : refused(`its process ended with ${error.signal ?? error.code}`),
        );
      },
    );
    const stop = () => void running.kill("SIGKILL");
    const notice = setTimeout(() => {
      person?.tell(DIALOG_NOTICE);
      if (person?.signal.aborted) stop();
      else person?.signal.addEventListener("abort", stop, { once: true });
    }, TIMEOUT_MS);
    // A child that died before it read the request says so by its exit.
    running.stdin?.on("error", () => {}).end(child.input);
  });
}

const SILENCE = Symbol("the keychain did not answer");

function silence(afterMs: number): AppError {
  return new AppError(
    "VAULT_UNAVAILABLE",
    `The OS keychain did not answer within ${afterMs / 1_000} seconds`,
    {
      hint: `Is it waiting for you to unlock it? Unlock it and try again, or ${SEALED_INSTEAD}.`,
      cause: SILENCE,
    },
  );
}

function isSilence(error: unknown): boolean {
  return isAppError(error) && error.cause === SILENCE;
}

function noBus(): AppError {
  return new AppError("VAULT_UNAVAILABLE", "No OS keychain here: there is no D-Bus session", {
    hint: `Run inside \`dbus-run-session\` with an unlocked keyring, or ${SEALED_INSTEAD}.`,
  });
}

function noModule(reason: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `The keychain module keytar cannot be loaded: ${plain(reason)}`, {
    hint: `Install libsecret (Debian: apt install libsecret-1-dev) and then jc-integrations again, or ${SEALED_INSTEAD}.`,
  });
}

function refused(reason: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `The OS keychain cannot be used: ${plain(reason)}`, {
    hint: `Unlock the keyring and try again, or ${SEALED_INSTEAD}.`,
  });
}
