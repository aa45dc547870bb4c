import { fileURLToPath } from "node:url";
import { noService } from "../../core/advice/systemd.ts";
import type { Scope } from "../../core/service-scope.ts";
import { AppError } from "../../shared/errors.ts";
import type { World } from "../../shared/world.ts";
import type { Places, Program } from "../../systemd/places.ts";
import type { Runner } from "../../systemd/runner.ts";

export interface ScopeOptions {
  system?: boolean;
  user?: boolean;
}

export function scopeIn({ system, user }: ScopeOptions): Scope | null {
  if (system && user) throw new AppError("USAGE", "--system and --user: only one of them");
  if (system) return "system";
  return user ? "user" : null;
}

/** The service that is meant: the one installed, unless an option says which. Null when there is none. */
export async function findInstalled(world: World, options: ScopeOptions): Promise<Places | null> {
  const [{ placesOf }, { installedUnit }] = await Promise.all([
    import("../../systemd/places.ts"),
    import("../../systemd/installed.ts"),
  ]);
  const asked = scopeIn(options);
  const scopes: readonly Scope[] = asked ? [asked] : ["system", "user"];
  const [first = null, second] = scopes
    .map((scope) => placesOf(scope, world.env))
    .filter((places) => installedUnit(places) !== null);
  if (second) throw new AppError("USAGE", "there are two services here", { hint: "Say --system or --user." });
  return first;
}

export async function requireInstalled(world: World, options: ScopeOptions): Promise<Places> {
  const places = await findInstalled(world, options);
  if (places) return places;
  throw noService(scopeIn(options) ?? "system");
}

export async function runnerFor(world: World): Promise<Runner> {
  const { createRunner } = await import("../../systemd/runner.ts");
  return createRunner(world.env);
}

/** The program that runs now. */
export function programOf(world: World): Program {
  const scriptPath = fileURLToPath(new URL("../bin/jc-integrations.js", world.distUrl));
  return { nodePath: world.nodePath, scriptPath };
}
