import { join } from "node:path";
import {
  asTypedHere,
  connectCommand,
  SERVE_COMMAND,
  setSecretCommand,
  statusCommand,
  subscribeCommand,
} from "../core/advice/command-lines.ts";
import type { Scene } from "./scene.ts";

export function sayWhatGoesOn({ output, dir, emulator, url }: Scene): void {
  const { say, terminal } = output;
  say(
    [
      "",
      terminal.paint.bold("It goes on running until Ctrl-C. In another terminal:"),
      `   ${asTypedHere(statusCommand(), { config: join(dir, "config.toml"), stateDir: join(dir, "state") })}`,
      `   curl ${emulator.url}/_control/hubspot/contacts`,
      `   curl ${emulator.url}/_control/smartrecruiters/scorecards`,
      `   HubSpot:          ${emulator.hubspot}`,
      `   SmartRecruiters:  ${emulator.smartrecruiters}`,
      `   webhooks:         ${url}/jobcannon/events`,
      `                     ${url}/smartrecruiters/webhooks`,
    ].join("\n"),
  );
}

export function sayHowForReal({ output }: Scene): void {
  const { say, terminal } = output;
  const org = "<your org>";
  say(
    [
      "",
      terminal.paint.bold("For a real portal and a real company:"),
      `   ${setSecretCommand("hubspot.client-secret")}`,
      `   ${connectCommand({ vendor: "hubspot", org })}`,
      `   ${setSecretCommand("smartrecruiters.client-secret", { org })}`,
      `   ${connectCommand({ vendor: "smartrecruiters", org })}`,
      `   ${subscribeCommand({ vendor: "smartrecruiters", org })}`,
      `   ${SERVE_COMMAND}`,
    ].join("\n"),
  );
}
