import { type Command, InvalidArgumentError } from "commander";
import { PUSH_STATES, type PushState } from "../core/push.ts";
import { AppError } from "../shared/errors.ts";
import { EMAIL_OPTION, EMAIL_WORDS, emailFrom } from "./session/email.ts";
import { refuseMistyped } from "./session/log-to-read.ts";
import { defined, refuseEmptyTimes } from "./session/option-values.ts";
import { previewOrRun, RERUN_EXITS, type RerunFlags, withRerunOptions } from "./session/rerun-options.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerReplay(program: Command, world: World): void {
  const replay = program
    .command("replay")
    .argument("[invitation...]", "the ids of those whose results to deliver again")
    .description("deliver again what the log holds, by filter; previews unless --yes")
    .option(EMAIL_OPTION, `this candidate's results ${EMAIL_WORDS}`)
    .option("--recreate", "those held since their contact is gone from the portal: create it anew")
    .option("--status <state>", `of the push: ${PUSH_STATES.join(", ")}`, readState);
  withRerunOptions(replay, world)
    .addHelpText(
      "after",
      `\nIt needs a filter. --since and --until look at the last attempt.${RERUN_EXITS}\n\nExample:\n  jc-integrations replay --status rejected --since 2026-11-01 --yes`,
    )
    .action(
      (
        invitationIds: string[],
        flags: RerunFlags & { email?: string; status?: PushState; recreate?: boolean },
        command: Command,
      ) =>
        withApp(world, command, async (session) => {
          refuseEmptyTimes(flags);
          const { status: state, since, until, vendor } = flags;
          const email = await emailFrom(session, flags.email);
          const named = {
            ...(invitationIds.length > 0 ? { invitationIds } : {}),
            ...defined({ email, state, since, until }),
            ...(flags.recreate ? { heldFor: "gone" as const } : {}),
          };
          if (Object.keys(named).length === 0 && vendor === undefined) {
            throw new AppError("USAGE", "replay needs a filter", {
              hint: "As --status rejected. What was never sent is for backfill.",
            });
          }
          await refuseMistyped(session, vendor);
          const { planReplay } = await import("../flows/rerun/replay.ts");
          const { app } = session;
          const selections = await planReplay(await app.store(), { org: app.org, vendor, filter: named });
          await previewOrRun(session, {
            selections,
            flags,
            run: { command: "replay", filter: { ...named, vendor } },
          });
        }),
    );
}

function readState(text: string): PushState {
  const state = PUSH_STATES.find((known) => known === text);
  if (state) return state;
  throw new InvalidArgumentError(`It is one of ${PUSH_STATES.join(", ")}.`);
}
