import { join } from "node:path";
import type { Scene } from "./scene.ts";

export function sayWhatGoesOn({ output, dir, emulator, url }: Scene): void {
  const { say, terminal } = output;
  say(
    [
      "",
      terminal.paint.bold("It goes on running until Ctrl-C. In another terminal:"),
      `   jc-integrations --config ${join(dir, "config.toml")} --state-dir ${join(dir, "state")} status`,
      `   curl ${emulator.url}/_control/hubspot/contacts`,
      `   curl ${emulator.url}/_control/smartrecruiters/scorecards`,
      `   HubSpot:          ${emulator.hubspot}`,
      `   SmartRecruiters:  ${emulator.smartrecruiters}`,
      `   webhooks:         ${url}/jobcannon/events and ${url}/smartrecruiters/webhooks`,
    ].join("\n"),
  );
}

export function sayHowForReal({ output }: Scene): void {
  const { say, terminal } = output;
  say(
    [
      "",
      terminal.paint.bold("For a real portal and a real company:"),
      "   jc-integrations secrets set hubspot.client-secret",
      "   jc-integrations connect hubspot --org <your org>",
      "   jc-integrations secrets set smartrecruiters.client-secret --org <your org>",
      "   jc-integrations connect smartrecruiters --org <your org>",
      "   jc-integrations webhooks subscribe --org <your org>",
      "   jc-integrations serve",
    ].join("\n"),
  );
}
