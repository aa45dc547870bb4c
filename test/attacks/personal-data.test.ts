/**
 * No road carries who a candidate is into alerts, the journal, errors, command lines or files that others may read. The
 * built program walks each, with an address and a name that stand nowhere else, and all that it says is looked through.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { company, invited, servingAts } from "../ats/world.ts";
import { adminLink, caller } from "../daemon/admin-page.ts";
import { logOf } from "../end-to-end/log.ts";
import { launch, launchService, post, type Service } from "../end-to-end/program.ts";
import { control, move, type Application } from "../published/company.ts";
import { APP, publishedWorld, VENDOR } from "../published/world.ts";
import { invite, sign, succeed, until, type World } from "../world.ts";

const [FIRST, LAST] = ["Zebulonia", "Quuxleyworth"];
const LOCAL = "zqx.wvutsrq";
const ADDRESS = `${LOCAL}@privat.example`;
const CANDIDATE = { email: ADDRESS, first_name: FIRST, last_name: LAST };
/** As a vendor may word it, of one record: people see its words with the address masked. */
const BLOCKED = `${ADDRESS} is blocked`;
/** In any other answer, with a name. */
const WORDS = `${FIRST} ${LAST} <${ADDRESS}> is blocked`;
const CHAT = { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" };
const HOUR_MS = 3_600_000;

/** In any case, plain, in a URL, or as base64 wherever it begins. */
const FORMS = [LOCAL, FIRST, LAST].flatMap((word) => [
  word.toLowerCase(),
  ...[0, 1, 2].map((shift) => {
    const text = Buffer.from(" ".repeat(shift) + word).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, -4).toLowerCase();
  }),
]);

/** What was said, by whom; each thing once. */
interface Heard {
  hear(who: string, text: string): void;
  /** Where the person stands in it. */
  leaks(): string[];
}

function listening(): Heard {
  const said = new Map<string, string>();
  return {
    hear: (who, text) => said.set(who, text),
    leaks: () =>
      [...said].flatMap(([who, text]) =>
        FORMS.flatMap((form) => {
          const at = text.toLowerCase().indexOf(form);
          return at === -1 ? [] : [`${who}: ${text.slice(Math.max(0, at - 120), at + 60)}`];
        }),
      ),
  };
}

/** Command lines of all processes of this machine, looked at all the time. */
function watchingCommandLines({ hear }: Heard): void {
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        if (FORMS.some((form) => line.toLowerCase().includes(form))) hear(`command line of ${pid}`, line);
      } catch {
        // It ended.
      }
    }
  };
  const watch = setInterval(look, 25);
  onTestFinished(() => clearInterval(watch));
}

/** Files that hold the person in which somebody else could read, or into whose directory. */
function openFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => {
      const { mode } = statSync(path);
      if (!statSync(path).isFile() || (mode & 0o077) === 0) return false;
      const text = readFileSync(path, "latin1").toLowerCase();
      return FORMS.some((form) => text.includes(form));
    });
}

/** The files that hold the person at all. */
function holding(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path, "latin1").includes(LOCAL);
  });
}

/** Types it as an operator does, each time also for a script; what it says is heard. */
function typing(world: World, { hear }: Heard) {
  let typed = 0;
  return async (line: string, { stdin = "", shows = false }: { stdin?: string; shows?: boolean } = {}) => {
    const program = launch(world, line.split(" "));
    program.child.stdin?.end(stdin);
    const ended = await program.ended;
    typed += 1;
    const who = `${typed}: ${line} (${ended.code})`;
    if (!shows) hear(`${who}, output`, ended.out);
    hear(`${who}, errors`, ended.err);
    expect(ended.err, line).not.toContain("this is a bug");
    return ended;
  };
}

/** Nothing that is said must be a reason to say more. */
function talkative(world: World): World {
  const temporary = join(world.dir, "temporary");
  mkdirSync(temporary, { recursive: true });
  Object.assign(world.env, {
    JC_LOG_LEVEL: "debug",
    JC_SCHEDULE_RETRY_EVERY: "2s",
    JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram,
    TMPDIR: temporary,
  });
  return world;
}

async function stop(service: Service, { hear }: Heard, name: string): Promise<void> {
  service.child.kill("SIGTERM");
  const { out, err } = await service.ended;
  expect(err.length, name).toBeGreaterThan(200);
  hear(`journal of ${name}`, out + err);
}

const person = (changes: Parameters<typeof invite>[0] = {}) => invite({ candidate: CANDIDATE, ...changes });

/** Webhooks that are none, each with the person somewhere in them; answers what the sender was told. */
async function sendBadOnes({ url }: Service): Promise<{ status: number; told: string }[]> {
  const good = JSON.stringify(person());
  const whole = person();
  const at = "/jobcannon/events";
  const bodies = [
    good.slice(0, -20),
    JSON.stringify(ADDRESS),
    JSON.stringify([whole]),
    JSON.stringify({ ...whole, type: ADDRESS }),
    JSON.stringify({ ...whole, type: undefined }),
    JSON.stringify({ ...whole, timestamp: ADDRESS }),
    JSON.stringify({ ...whole, timestamp: "2124-01-01T00:00:00Z" }),
    JSON.stringify({ ...whole, data: { ...whole.data, status: `${FIRST} ${LAST}` } }),
    JSON.stringify({ ...whole, data: { ...whole.data, org: ADDRESS } }),
    JSON.stringify({ ...whole, data: { ...whole.data, invitation_id: undefined } }),
    JSON.stringify({ ...whole, data: { ...whole.data, tests: ADDRESS } }),
    JSON.stringify({ ...whole, data: { ...whole.data, tests: [{ slug: ADDRESS, status: LAST }] } }),
    JSON.stringify({ ...whole, data: { ...whole.data, candidate: ADDRESS } }),
  ];
  const calls = [
    ...bodies.map((body) => ({ path: at, body, headers: sign(body) })),
    { path: `${at}?email=${ADDRESS}`, body: good, headers: sign(good) },
    { path: `/${ADDRESS}`, body: good, headers: sign(good) },
    { path: at, body: good, headers: { ...sign(good), "webhook-signature": `v1,${ADDRESS}` } },
    { path: at, body: good, headers: { ...sign(good), "webhook-id": ADDRESS } },
    { path: at, body: good, headers: { ...sign(good), "content-type": `text/${LOCAL}` } },
    { path: at, body: good, headers: { ...sign(good), "webhook-timestamp": LOCAL } },
    { path: "/smartrecruiters/webhooks", body: good, headers: { "content-type": "application/json" } },
    { path: `/hubspot/oauth-callback?state=${ADDRESS}&code=${LAST}`, body: good, headers: {} },
  ];
  const answers: { status: number; told: string }[] = [];
  for (const { path, body, headers } of calls) {
    const answer = await fetch(url + path, { method: "POST", headers, body });
    answers.push({ status: answer.status, told: await answer.text() });
  }
  return answers;
}

const LOOKS = [
  "status",
  "status --json",
  "status --all --json",
  "doctor",
  "doctor --json",
  "logs",
  "logs --json",
  "logs --summary --json",
  "logs --runs",
  "logs --requests --json",
  "invites list",
  "invites list --json",
  "invites wanted --json",
  "invites assign --json",
  "webhooks log",
  "webhooks log --json",
  "webhooks log --vendor jobcannon --json",
  "replay --status rejected",
  "replay --status held --json",
  "backfill",
  "resync-properties --dry-run -v",
  "config show",
  "secrets list",
  "backup list --json",
];

test.skipIf(process.platform !== "linux")(
  "who a candidate is stays out of all that is said, with HubSpot and SmartRecruiters as the guide has it",
  async () => {
    const { world: made, service: first } = await servingAts({ env: CHAT });
    await succeed(made, ["connect", "hubspot"]);
    await succeed(made, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
    await first.running.stop();
    const world = talkative(made);
    const heard = listening();
    const type = typing(world, heard);
    watchingCommandLines(heard);

    // Both vendors refuse the person in so many words; a test of theirs is asked for there.
    const blocked = { message: BLOCKED, category: "VALIDATION_ERROR", correlationId: "c-1" };
    await world.portal.fault({ status: 400, match: LOCAL, body: { status: "error", ...blocked } });
    const asked = await invited(await company(world), { email: ADDRESS });
    const refused = { errors: [{ code: "CANDIDATE_BLOCKED", message: BLOCKED }] };
    await world.smartrecruiters.fault({
      status: 422,
      path: `/v1/assessments/${asked.assessmentId}`,
      body: refused,
    });

    let service = await launchService(world);
    const send = async (event: object) => {
      const body = JSON.stringify(event);
      return (await post(`${service.url}/jobcannon/events`, { headers: sign(body), body })).status;
    };
    const source = {
      vendor: "smartrecruiters",
      candidate_id: asked.candidateId,
      assessment_id: asked.assessmentId,
    };
    const about = person({ invitation_id: "inv_zqx" });
    expect(await send({ ...about, data: { ...about.data, source } })).toBe(202);
    const bad = await sendBadOnes(service);
    expect(new Set(bad.map(({ status }) => status))).toEqual(new Set([202, 400, 401, 404, 405, 415]));
    for (const [index, { status, told }] of bad.entries()) heard.hear(`answer ${index} (${status})`, told);
    await world.smartrecruiters.fire({
      ...{ id: "evt_unknown", event: "candidate.assessment.completed", occurredAt: "2026-11-22T10:15:00Z" },
      data: { candidateId: "c-none", jobId: "j1", assessmentId: "a-none", status: "completed", ...CANDIDATE },
    });
    const states = async () =>
      Object((await succeed(world, ["status", "--json"])).json).pushes as Record<string, number>;
    await until("both refused", async () => (await states()).rejected === 2);
    for (const line of LOOKS) await type(line);
    for (const line of ["invites show inv_zqx", "invites show inv_zqx --json"]) await type(line);
    // It is there for who asks.
    const revealed = await type("logs --reveal --json", { shows: true });
    expect(revealed.out).toContain(BLOCKED);
    for (const line of ["invites show inv_none", "replay inv_none --yes", "replay --status rejected --yes"])
      await type(line);
    await type("invites list --email -", { stdin: ADDRESS });
    await type("logs --email - --json", { stdin: ADDRESS });
    await type("replay --email - --yes", { stdin: ADDRESS });
    await type("invites import - --json", {
      stdin: [JSON.stringify(person()), ADDRESS, `{"${ADDRESS}":1}`].join("\n"),
    });

    const admin = await caller(service.adminUrl, await adminLink(world));
    for (const path of [
      "/admin/integrations",
      "/admin/integrations/hubspot/logs",
      "/admin/integrations/smartrecruiters/logs",
      "/admin/audit",
      "/admin/nothing",
    ])
      heard.hear(`page ${path}`, (await admin.get(path)).body);
    for (const path of ["/metrics", "/readyz", "/healthz"])
      heard.hear(path, await (await fetch(service.adminUrl + path)).text());

    // The vendor fails for this person alone.
    await world.portal.clearFaults();
    await world.smartrecruiters.clearFaults();
    await world.portal.fault({ status: 500, match: LOCAL, body: { message: WORDS } });
    expect(await send(person({ timestamp: "2024-06-15T10:15:00Z" }))).toBe(202);
    for (const name of ["ann", "ben", "cleo"]) await send(invite({ email: `${name}@example.org` }));
    const log = logOf(world);
    const failed = () => log.count("SELECT count(*) FROM attempts WHERE http_status = 500");
    await until("it was tried", async () => (await failed()) > 0);
    for (const line of ["run retry -v", "status", "doctor --json", "logs --json"]) await type(line);
    await stop(service, heard, "the service that is refused");

    // Set apart, and stuck since an hour ago, which is told to its owner; and a login that is lost in so many words.
    const db = new Database(join(world.stateDir, "log.db"));
    db.prepare(
      "UPDATE pushes SET pending_since = pending_since - ?, alone = 1, tries = 6 WHERE state = 'pending'",
    ).run(HOUR_MS);
    db.close();
    service = await launchService(world);
    const alerts = async () => (await world.telegram.messages()).map(({ text }) => text);
    await until("that it is stuck is told", async () =>
      (await alerts()).some((text) => /undelivered/.test(text)),
    );
    await world.portal.fault({
      status: 401,
      match: LOCAL,
      body: { message: WORDS, category: "EXPIRED_AUTHENTICATION" },
    });
    const lost = { error: "invalid_grant", error_description: WORDS, message: WORDS };
    await world.portal.fault({ status: 400, path: "/oauth/v3/token", body: lost });
    await type("run refresh -v");
    await world.portal.clearFaults();
    await world.portal.fault({ revoked: true });
    await send(person({ timestamp: "2024-07-15T10:15:00Z" }));
    await until("that it must reconnect is told", async () =>
      (await alerts()).some((text) => /connect hubspot/.test(text)),
    );
    await world.portal.clearFaults();
    await succeed(world, ["connect", "hubspot"]);
    for (const line of [
      "status",
      "backup",
      "backfill --yes",
      "run sweep",
      "run retention --json",
      "run alerts --json",
    ])
      await type(line);

    const exports = join(world.dir, "requests");
    mkdirSync(exports);
    expect((await type(`export - --dir ${exports}`, { stdin: ADDRESS })).code).toBe(0);
    expect(holding(exports)).toHaveLength(2);
    await world.portal.fault({ status: 400, path: "/crm", match: LOCAL, body: { message: WORDS } });
    await type("erase - --dry-run", { stdin: ADDRESS });
    expect((await type("erase - --remote --yes -v", { stdin: ADDRESS })).code).toBe(7);
    await world.portal.clearFaults();
    await type("erase - --remote --yes --json", { stdin: ADDRESS });
    expect(await send(person())).toBe(202);
    for (const line of ["status", "doctor", "run vacuum -v", "invites list --json"]) await type(line);
    await stop(service, heard, "the service that erases");
    for (const [index, text] of (await alerts()).entries()) heard.hear(`alert ${index}`, text);
    expect((await alerts()).length).toBeGreaterThan(1);

    expect(heard.leaks()).toEqual([]);
    expect(openFiles(world.dir)).toEqual([]);
    expect(holding(world.stateDir).every((name) => name.startsWith("backups"))).toBe(true);
  },
  600_000,
);

test.skipIf(process.platform !== "linux")(
  "and with SmartRecruiters as its own documents have it, where candidates are looked for and JobCannon is asked",
  async () => {
    const made = await publishedWorld({ env: CHAT });
    await succeed(made, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
    await succeed(made, ["connect", VENDOR]);
    const invites = `${made.emulator.smartrecruiters}/jobcannon/invites`;
    appendFileSync(made.configFile, `[jobcannon]\ninvites_url = "${invites}"\n`);
    const world = talkative(made);
    const heard = listening();
    const type = typing(world, heard);
    watchingCommandLines(heard);

    let service = await launchService(world);
    await type("webhooks subscribe");
    await type("catalog set --job j1 --stage IN_REVIEW/Assessment --test disc --yes");
    const apply = async () => {
      const body = {
        clientId: APP,
        jobId: "j1",
        email: ADDRESS,
        firstName: FIRST,
        lastName: LAST,
        isNew: true,
      };
      return (await control(world, "/applications", body)) as Application;
    };
    await world.smartrecruiters.fault({ status: 422, path: "/jobcannon", body: { message: WORDS } });
    const looked = { status: 400, path: "/candidates", method: "GET", body: { message: WORDS, errors: [] } };
    await world.smartrecruiters.fault({ ...looked, times: 2 });
    const first = await apply();
    await move(world, first, "Assessment");
    const wanted = async () => (await succeed(world, ["invites", "wanted", "--json"])).json;
    await until("JobCannon refused", async () => JSON.stringify(await wanted()).includes("422"));
    await apply();
    // Without a source it belongs to either of the two.
    const body = JSON.stringify(person({ invitation_id: "inv_zqx" }));
    expect((await post(`${service.url}/jobcannon/events`, { headers: sign(body), body })).status).toBe(202);
    const states = async () => Object((await succeed(world, ["status", "--json"])).json).pushes;
    await until("it is held", async () => (await states()).held === 1);
    for (const line of LOOKS) await type(line);
    for (const line of [
      "invites show inv_zqx",
      "invites wanted",
      "logs --requests",
      "run questions -v",
      "run requests -v",
    ])
      await type(line);
    expect((await type("invites wanted --reveal", { shows: true })).out).toContain(ADDRESS);
    expect((await type("invites assign inv_zqx --candidate c-none --job j1")).code).toBe(2);

    await world.smartrecruiters.fault({
      status: 400,
      path: "/candidates",
      body: { message: WORDS, errors: [] },
    });
    expect((await type("invites assign inv_zqx")).code).toBe(6);
    expect((await type("erase - --remote --yes -v", { stdin: ADDRESS })).code).toBe(7);
    await world.smartrecruiters.clearFaults();
    await type(`invites assign inv_zqx --candidate ${first.candidateId} --job j1`);
    await stop(service, heard, "the service");
    service = await launchService(world);
    await type("run subscriptions -v");
    await type("erase - --remote --yes -v", { stdin: ADDRESS });
    await move(world, first, "Screening");
    for (const line of ["run questions -v", "status", "doctor --json", "logs --json"]) await type(line);
    await stop(service, heard, "the service that is started again");
    const alerts = await world.telegram.messages();
    for (const [index, { text }] of alerts.entries()) heard.hear(`alert ${index}`, text);

    expect(heard.leaks()).toEqual([]);
    expect(openFiles(world.dir)).toEqual([]);
  },
  600_000,
);
