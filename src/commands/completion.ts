import { Argument, type Command } from "commander";
import type { Globals, World } from "../shared/world.ts";

type TreeOf = (argv: readonly string[]) => Promise<Command>;

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `completion`: the script that a shell loads, and what that script asks at each press of Tab. */
export function registerCompletion(program: Command, world: World, treeOf: TreeOf): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "whose").choices(SHELLS))
    .argument("[words...]", "a command line: print what its last word may become, as the script asks")
    .description("print what makes a shell complete commands, options, orgs, vendors and invitations")
    .addHelpText("after", HELP)
    .action(async (shell: (typeof SHELLS)[number], words: string[], _options: object, command: Command) => {
      if (words.length === 0) {
        const { SCRIPTS } = await import("./help/completion-scripts.ts");
        return world.io.out(SCRIPTS[shell]);
      }
      const { suggestionsFor, suggestionLines } = await import("./help/suggestions.ts");
      const given = command.optsWithGlobals<Globals>();
      // A shell that completes is no place for errors.
      const found = await suggestionsFor(words, { world, treeOf, globals: given }).catch(() => null);
      if (found) world.io.out(suggestionLines(found, { isDescribed: shell !== "bash" }));
    });
}

const HELP = `
bash: source it in ~/.bashrc. zsh: write it to a directory of fpath, before
compinit. fish: pipe it into source in config.fish.

Examples:
  source <(jc-integrations completion bash)
  jc-integrations completion zsh > ~/.zfunc/_jc-integrations
  jc-integrations completion fish | source`;
