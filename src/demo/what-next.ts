import { join } from "node:path";
import {
  asTypedHere,
  connectCommand,
  resyncCommand,
  SERVE_COMMAND,
  setCatalogCommand,
  setSecretCommand,
  statusCommand,
  subscribeCommand,
} from "../core/advice/command-lines.ts";
import type { Scene } from "./scene.ts";

export type DemoProfile = "v1" | "published";

export function sayWhatGoesOn({ output, dir, emulator, url }: Scene, profile: DemoProfile): void {
  const { say, terminal } = output;
  const shown = profile === "v1" ? "scorecards" : "results";
  say(
    [
      "",
      terminal.paint.bold("It goes on running until Ctrl-C. In another terminal:"),
      `   ${asTypedHere(statusCommand(), { config: join(dir, "config.toml"), stateDir: join(dir, "state") })}`,
      `   curl ${emulator.url}/_control/hubspot/contacts`,
      `   curl ${emulator.url}/_control/smartrecruiters/${shown}`,
      `   HubSpot:          ${emulator.hubspot}`,
      `   SmartRecruiters:  ${emulator.smartrecruiters}`,
      `   webhooks:         ${url}/jobcannon/events`,
      `                     ${url}/smartrecruiters/webhooks`,
    ].join("\n"),
  );
}

export function sayHowForReal({ output }: Scene, profile: DemoProfile): void {
  const { say, terminal } = output;
  const org = "<your org>";
  const vendor = "smartrecruiters";
  const steps =
    profile === "v1"
      ? [connectCommand({ vendor, org }), subscribeCommand({ vendor, org }), SERVE_COMMAND]
      : [
          connectCommand({ vendor, org }, "--method client-credentials"),
          resyncCommand({ vendor, org }),
          SERVE_COMMAND,
          subscribeCommand({ vendor, org }),
          setCatalogCommand({
            vendor,
            org,
            environment: "production",
            jobId: "4711",
            stage: "INTERVIEW",
            test: "disc",
          }),
        ];
  const configured =
    profile === "v1" ? [] : ['   in its file: smartrecruiters.profile = "published", jobcannon.invites_url'];
  say(
    [
      "",
      terminal.paint.bold("For a real portal and a real company:"),
      `   ${setSecretCommand("hubspot.client-secret")}`,
      `   ${connectCommand({ vendor: "hubspot", org })}`,
      ...configured,
      `   ${setSecretCommand("smartrecruiters.client-secret", { org })}`,
      ...steps.map((step) => `   ${step}`),
    ].join("\n"),
  );
}
