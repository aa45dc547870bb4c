import { expect, test } from "vitest";
import { freshWorld, until, WEBHOOK_SECRET } from "../world.ts";
import { ask, at, textAt } from "./client.ts";
import { emulated } from "../emulated.ts";

test("the command prints where each vendor is, and passes on whom JobCannon's events are for", async () => {
  const world = await freshWorld();
  const jobcannon = ["--jobcannon-url", "http://127.0.0.1:8470", "--jobcannon-secret", WEBHOOK_SECRET];
  const running = world.start(["emulator", "--port", "0", "--json", ...jobcannon, "--jobcannon-org", "acme"]);
  const printed: unknown = JSON.parse(
    await until("the line", () => running.out().includes("\n") && running.out()),
  );
  const url = textAt(printed, "url");
  expect(printed).toMatchObject({
    hubspot: `${url}/hubspot`,
    smartrecruiters: `${url}/smartrecruiters`,
    telegram: `${url}/telegram`,
  });
  const settings = () => ask(`${url}/_control/smartrecruiters/settings`);
  const told = {
    jobcannonUrl: "http://127.0.0.1:8470",
    jobcannonSecret: "[redacted]",
    jobcannonOrg: "acme",
  };
  expect((await settings()).body).toMatchObject(told);
  await emulated({ url }).smartrecruiters.settings({ jobcannonUrl: null });
  expect(at((await settings()).body, "jobcannonUrl")).toBeNull();
  await emulated({ url }).reset();
  expect((await settings()).body).toMatchObject(told);
  await running.stop();
});

test("the command refuses a secret that is none with words for the operator", async () => {
  const world = await freshWorld();
  const { code, err } = await world.run(["emulator", "--port", "0", "--jobcannon-secret", "plain"]);
  expect(code).toBe(2);
  expect(err).toContain("whsec_");
  expect(err).not.toContain("plain");
});
