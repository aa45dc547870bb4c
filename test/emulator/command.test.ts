import { expect, test } from "vitest";
import { freshWorld, until, WEBHOOK_SECRET } from "../world.ts";
import { ask, at, textAt } from "./client.ts";
import { emulated } from "../emulated.ts";

test("the command prints where each vendor is, and passes on whom JobCannon's events are for", async () => {
  const world = await freshWorld();
  const jobcannon = ["--jobcannon-url", "http://127.0.0.1:8470", "--jobcannon-secret", "whsec.txt"];
  world.file("whsec.txt", [WEBHOOK_SECRET]);
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
  const env = { JC_EMULATOR_JOBCANNON_SECRET: "plain" };
  const { code, err } = await world.run(["emulator", "--port", "0"], { env });
  expect(code).toBe(2);
  expect(err).toContain("whsec_");
  expect(err).not.toContain("plain");
});

test("the command takes the secret from the environment, and the file goes first", async () => {
  const world = await freshWorld();
  const env = { JC_EMULATOR_JOBCANNON_SECRET: WEBHOOK_SECRET };
  const running = world.start(["emulator", "--port", "0", "--json"], { env });
  const printed: unknown = JSON.parse(
    await until("the line", () => running.out().includes("\n") && running.out()),
  );
  const settings = await ask(`${textAt(printed, "url")}/_control/smartrecruiters/settings`);
  expect(settings.body).toMatchObject({ jobcannonSecret: "[redacted]" });
  await running.stop();
  const argv = ["emulator", "--port", "0", "--jobcannon-secret", world.file("none.txt", ["plain"])];
  expect(await world.run(argv, { env })).toMatchObject({ code: 2, err: expect.stringContaining("is none") });
});

test("a secret on the command line is refused, and not said again", async () => {
  const world = await freshWorld();
  const { code, err } = await world.run(["emulator", "--port", "0", "--jobcannon-secret", WEBHOOK_SECRET]);
  expect(code).toBe(2);
  expect(err).toContain("takes a file");
  expect(err).not.toContain(WEBHOOK_SECRET);
  const missing = await world.run(["emulator", "--port", "0", "--jobcannon-secret", "nowhere.txt"]);
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("nowhere.txt cannot be read") });
});
