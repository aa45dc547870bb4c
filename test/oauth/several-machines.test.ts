import { expect, onTestFinished, test } from "vitest";
import { createTokens } from "../../src/oauth/tokens.ts";
import { type Clock, systemClock } from "../../src/shared/clock.ts";
import { secret } from "../../src/shared/secret.ts";
import { asked, describeWithPostgres, postgresServer, takenAway } from "../store/postgres-server.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { startRotatingEndpoint } from "./rotating-endpoint.ts";
import { issuerAt, testHttp } from "./world.ts";

const CONNECTION = "acme/smartrecruiters/production";
const MINUTE_MS = 60_000;

/** Machines that share a vault, each with a state directory of its own, and tokens in it that have just expired. */
async function machines() {
  const url = await (await postgresServer()).database();
  const { keyFile } = vaultOptions();
  const endpoint = await startRotatingEndpoint();
  const issuer = issuerAt(endpoint.url);
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const machine = (stateDir = vaultOptions().stateDir) => {
    const vault = open({ ...vaultOptions({ stateDir, keyFile, clock }), url });
    const tokens = createTokens({ clock, http: testHttp(), vault });
    const request = { connection: CONNECTION, issuer, clientSecret: async () => secret("right") };
    return {
      stateDir,
      tokens,
      token: async () => (await tokens.token(request)).reveal(),
      /** The same machine after its process ended. */
      restarted: () => machine(stateDir),
    };
  };
  const ours = machine();
  await ours.tokens.keep(CONNECTION, issuer, {
    accessToken: secret("a0"),
    refreshToken: secret("r0"),
    expiresAt: clock.now() - 1_000,
    scopes: [],
    accountId: null,
  });
  return {
    url,
    endpoint,
    ours,
    theirs: machine(),
    pass: (ms: number) => {
      aheadMs += ms;
    },
  };
}

/** What the vault holds, to be put back as it was. */
async function copied(url: string): Promise<() => Promise<void>> {
  await asked(
    url,
    "CREATE TABLE was_items AS TABLE jc_vault.items; CREATE TABLE was AS TABLE jc_vault.vault",
  );
  return async () => {
    await asked(
      url,
      `TRUNCATE jc_vault.items, jc_vault.vault; INSERT INTO jc_vault.items SELECT * FROM was_items;
       INSERT INTO jc_vault.vault SELECT * FROM was`,
    );
  };
}

/** The vendor's answer comes while the database is away, which is there again afterwards. */
async function answeredWithoutDatabase({
  url,
  endpoint,
  ours,
}: Pick<Awaited<ReturnType<typeof machines>>, "url" | "endpoint" | "ours">): Promise<void> {
  const answer = endpoint.held();
  const refreshed = ours.token().catch((error: unknown) => error);
  await answer.asked;
  const back = await takenAway(url);
  onTestFinished(back);
  answer.give();
  expect(await refreshed).toMatchObject({ code: "VAULT_UNAVAILABLE" });
  await back();
}

describeWithPostgres("machines that share a vault", () => {
  test("make one refresh of a token that both need, and go on with its answer", async () => {
    const { endpoint, ours, theirs } = await machines();
    expect(await Promise.all([ours.token(), theirs.token(), theirs.token(), ours.token()])).toEqual(
      Array(4).fill("a1"),
    );
    expect(endpoint.calls()).toBe(1);
  });

  test("keep a one-use answer that meets no database, through a restart, and hand it over once there is one", async () => {
    const { url, endpoint, ours, theirs, pass } = await machines();
    await answeredWithoutDatabase({ url, endpoint, ours });

    // The other sees that a refresh was begun, and does not spend the old token on a guess.
    await expect(theirs.token()).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
      message: expect.stringContaining("another process began to renew the token"),
    });
    expect(endpoint.calls()).toBe(1);
    expect(await ours.restarted().token()).toBe("a1");
    expect(await theirs.token()).toBe("a1");
    pass(31 * MINUTE_MS);
    expect(await theirs.token()).toBe("a2");
    expect(endpoint.calls()).toBe(2);
  });

  test("hand it over even after the other tried the old token and was refused", async () => {
    const { url, endpoint, ours, theirs, pass } = await machines();
    await answeredWithoutDatabase({ url, endpoint, ours });
    pass(2 * MINUTE_MS);
    await expect(theirs.token()).rejects.toMatchObject({ code: "RECONNECT_NEEDED" });
    expect(await ours.restarted().token()).toBe("a1");
    expect(await theirs.token()).toBe("a1");
  });

  test("take over from one that was killed in a refresh, a minute after it began", async () => {
    const { url, endpoint, ours, theirs, pass } = await machines();
    const answer = endpoint.held();
    const refreshed = ours.token().catch(() => {});
    await answer.asked;
    await asked(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 27236",
    );
    await expect(theirs.token()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    endpoint.takeBack();
    pass(MINUTE_MS + 1);
    expect(await theirs.token()).toMatch(/^a/);
    answer.give();
    await refreshed;
  });

  test("recognise a spent refresh token where the database was put back to an older state", async () => {
    const { url, ours, theirs, pass } = await machines();
    const putBack = await copied(url);
    expect(await ours.token()).toBe("a1");
    expect(await theirs.token()).toBe("a1");
    await putBack();
    for (const machine of [ours, theirs]) {
      pass(2 * MINUTE_MS);
      await expect(machine.restarted().token()).rejects.toMatchObject({
        code: "RECONNECT_NEEDED",
        message: expect.stringContaining("its refresh token was spent since that copy was made"),
      });
    }
  });
});
