import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Environment } from "../../shared/config.ts";

/** The kernel's "nobody logged in", as for what systemd started. */
const NO_LOGIN = 2 ** 32 - 1;

/**
 * Who types, for the record: the user we run as, and before that the person who became it, as `alice as root`. A note
 * among people who trust one another, no proof: the environment is theirs to set.
 */
export function operatorOf(env: Environment): string {
  const [person, user] = [personOf(env), userName(env)];
  return person === user ? user : `${person} as ${user}`;
}

/** The person alone. */
export function personOf(env: Environment): string {
  return env.SUDO_USER || env.DOAS_USER || loginName() || userName(env);
}

/** A container may know no name for its user. */
function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? "unknown";
  }
}

/** Whoever logged in, where `su` or a root shell came after; null where Linux knows of no login. */
function loginName(): string | null {
  try {
    const uid = Number(readFileSync("/proc/self/loginuid", "utf8"));
    if (uid === NO_LOGIN || uid === userInfo().uid) return null;
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    const [name] = users.map((line) => line.split(":")).find((parts) => Number(parts[2]) === uid) ?? [];
    return name ?? `uid ${uid}`;
  } catch {
    return null;
  }
}
