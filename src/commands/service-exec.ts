import { type Command, CommanderError } from "commander";
import { asServiceCommand } from "../core/advice/command-lines.ts";
import { AppError, ERROR_CODES, EXIT_INTERRUPTED } from "../shared/errors.ts";
import type { Output } from "../shared/world.ts";
import { programOf, requireInstalled, runnerFor, type ScopeOptions } from "./session/installed-service.ts";

interface ExecRequest {
  words: readonly string[];
  /** The commands those words may mean. */
  treeOf: (argv: readonly string[]) => Promise<Command>;
}

export async function exec(
  { world }: Output,
  options: ScopeOptions,
  { words, treeOf }: ExecRequest,
): Promise<void> {
  const [{ execAsService }, { fileNamedIn, withOpenFile }, { personOf }, host, runner] = await Promise.all([
    import("../systemd/surroundings.ts"),
    import("./session/named-file.ts"),
    import("./session/operator.ts"),
    import("../systemd/host.ts"),
    runnerFor(world),
  ]);
  const [places, program] = [await requireInstalled(world, options), programOf(world)];
  await host.refuseUnlessAble(runner, places.scope, asServiceCommand(words.join(" ")));
  if (places.scope === "system") host.refuseClosedProgram(program);
  const { cwd, signal } = world;
  const person = personOf(world.env);
  const run = (argv: readonly string[], stdin?: number) =>
    execAsService(runner, { places, program, argv, cwd, person, signal, stdin });
  // The service's user may enter neither the caller's directory nor read the file: the caller opens it.
  const named = await fileNamedIn(await treeOf(words), words);
  const exit = named
    ? await withOpenFile(named.path, cwd, (stdin) => run(named.argvFromStdin, stdin))
    : await run(words);
  signal.throwIfAborted();
  if (exit !== 0) throw endedWith(exit, words);
}

/** The command has said itself what is wrong: its exit code goes on. Another exit is systemd's own. */
function endedWith(exit: number, [command]: readonly string[]): Error {
  const message = `${command}, run as the service, ended with exit code ${exit}`;
  const isOurs = exit === EXIT_INTERRUPTED || Object.values(ERROR_CODES).some((known) => known.exit === exit);
  if (isOurs) return new CommanderError(exit, "commander.executeSubCommandAsync", message);
  return new AppError("CONFIG_INVALID", message, {
    hint: "systemd could not run it; its reason: journalctl -e",
  });
}
