import {
  backfillCommand,
  connectCommand,
  resyncCommand,
  SERVE_COMMAND,
  subscribeCommand,
  trialCommand,
} from "../../core/advice/command-lines.ts";
import { type ApiVersion, versionWords } from "../../core/advice/api-version.ts";
import { namesOf } from "../../core/advice/left-out.ts";
import { loginWords } from "../../core/advice/login-age.ts";
import { scopeFixes } from "../../core/advice/missing-scopes.ts";
import type { Connection } from "../../core/connection.ts";
import { apiVersionOf } from "../../flows/watch/api-version.ts";
import type { Connected } from "../../flows/connect/connect.ts";
import { AppError } from "../../shared/errors.ts";
import { count, plain, shortTime } from "../../shared/text.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Session } from "./with-app.ts";

/** What an operator reads of an account that is ready for results. Throws `PARTIAL` where it is not quite. */
export function reportConnected(
  { app, terminal, print }: Pick<Session, "app" | "terminal" | "print">,
  { connected, destination, vault }: { connected: Connected; destination: Destination; vault: string },
): void {
  const { connection } = connected;
  const declared = app.vendors.find(({ vendor }) => vendor === connection.vendor);
  const apiVersion = apiVersionOf(declared, app.config, connection);
  print({
    json: { ...jsonOf(connected, vault), apiVersion },
    text: () => render(connected, destination, { vault, apiVersion, terminal, now: app.clock.now() }),
  });
  refusePartial(connected, destination);
}

function render(
  connected: Connected,
  { label, ats, fieldWords }: Destination,
  {
    vault,
    apiVersion,
    terminal,
    now,
  }: { vault: string; apiVersion: ApiVersion | null; terminal: Session["terminal"]; now: number },
): string {
  const { connection, fields, released } = connected;
  const { paint, table, pill } = terminal;
  const { account, login } = connection;
  const rows = [
    [
      "account",
      account ? `${plain(account.name)} (${account.id}${account.kind ? `, ${account.kind}` : ""})` : "–",
    ],
    ["data hosted in", account?.region ?? "not told"],
    ...(connection.crossRegion
      ? [["", paint.yellow("! another region than results shall be in: allowed")]]
      : []),
    ...scopeRows(connection, paint),
    [
      "token",
      connection.tokenExpiresAt === null
        ? "does not expire"
        : `until ${shortTime(connection.tokenExpiresAt)}, refreshed by itself`,
    ],
    ...(login ? [["login", loginWords(login, now)]] : []),
    ...(apiVersion ? [["API version", versionWords(apiVersion)]] : []),
    ["vault", vault],
    ...(fields
      ? [
          [
            fieldWords[1],
            ats
              ? `${fields.existing.length} found`
              : `${fields.created.length} created, ${fields.existing.length} there already`,
          ],
        ]
      : []),
    ...driftRows(fields, paint),
    ...(released > 0 ? [["held results", `${released} go out now`]] : []),
  ];
  const steps = nextSteps(connected, ats !== undefined);
  return [
    `${label}  ${pill("Connected", "good")}`,
    "",
    table(["", ""], rows).replace(/^\s*\n/, ""),
    ...(steps.length > 0 ? ["", ...steps] : []),
  ].join("\n");
}

/** What differs there from what we would create, and what of it costs something. */
function driftRows(fields: Connected["fields"], paint: Session["terminal"]["paint"]): string[][] {
  const { drifted = [], leftOut = [] } = fields ?? {};
  const harmless = drifted.filter(({ name }) => !leftOut.some((field) => field.name === name));
  return [
    ...leftOut.map((field) => ["", paint.yellow(`! left out until mended there: ${namesOf([field])}`)]),
    ...harmless.map(({ name, difference }) => [
      "",
      paint.dim(`differs, and takes our values: ${name} (${difference})`),
    ]),
  ];
}

/** What to type now: one line each; none where a service does what is left. */
function nextSteps({ connection, waiting, isServed }: Connected, isAts: boolean): string[] {
  const { vendor, org, environment, subscription } = connection;
  const subscribing =
    isAts && subscription === null ? [`Let its webhooks reach us: ${subscribeCommand(connection)}`] : [];
  if (environment === "sandbox") {
    const trial = `Results go to production only. Try the whole road: ${trialCommand({ vendor, org })}`;
    return [...subscribing, trial];
  }
  const earlier =
    waiting > 0
      ? [
          `${count(waiting, "earlier result")} ${waiting === 1 ? "waits" : "wait"}: ${backfillCommand(connection)}`,
        ]
      : [];
  const steps = [...subscribing, ...earlier];
  return steps.length > 0 || isServed ? steps : [`Deliver as they come: ${SERVE_COMMAND}`];
}

/** What was granted, beside what was wanted when that is more. */
function scopeRows({ scopes, missingScopes }: Connection, paint: Session["terminal"]["paint"]): string[][] {
  if (scopes.length + missingScopes.length === 0)
    return [["scopes", "not told, neither with the tokens nor when asked"]];
  if (missingScopes.length === 0) return [["scopes", `${scopes.length} granted`]];
  return [
    ["scopes", `${scopes.length} of ${scopes.length + missingScopes.length} granted`],
    ...scopes.map((scope) => ["", `${scope}  ${paint.green("granted")}`]),
    ...missingScopes.map((scope) => ["", `${scope}  ${paint.red("missing")}`]),
  ];
}

function jsonOf({ connection, fields, fieldsProblem, released, waiting }: Connected, vault: string) {
  const { vendor, environment, state, account, scopes, missingScopes, tokenExpiresAt, login } = connection;
  return {
    connection: {
      vendor,
      environment,
      state,
      account,
      scopes,
      missingScopes,
      tokenExpiresAt: tokenExpiresAt === null ? null : new Date(tokenExpiresAt).toISOString(),
      login: login && {
        since: new Date(login.since).toISOString(),
        endsAt: new Date(login.endsAt).toISOString(),
      },
    },
    vault,
    properties: fields && {
      created: fields.created,
      existing: fields.existing,
      overQuota: fields.overQuota,
      drifted: fields.drifted,
      leftOut: fields.leftOut,
    },
    propertiesProblem: fieldsProblem?.message ?? null,
    released,
    waiting,
  };
}

function refusePartial({ connection, fields, fieldsProblem }: Connected, destination: Destination): void {
  const { label, fieldWords, commonErrors } = destination;
  const resync = resyncCommand(connection);
  if (connection.missingScopes.length > 0) {
    const fixes = scopeFixes(destination);
    throw new AppError("PARTIAL", `connected, but not granted: ${connection.missingScopes.join(", ")}`, {
      hint:
        commonErrors && fixes !== null
          ? `${fixes} Until then: ${commonErrors.scope.title}. Run: ${connectCommand(connection)}`
          : `Add the scopes to the app in ${label}, then connect again and approve all of them.`,
    });
  }
  if (fieldsProblem) {
    throw new AppError(
      "PARTIAL",
      `connected, but the ${fieldWords[1]} are not ready: ${fieldsProblem.message}`,
      {
        hint: resync,
        cause: fieldsProblem,
      },
    );
  }
  if (fields && fields.overQuota.length > 0) {
    throw new AppError(
      "PARTIAL",
      `connected, but the portal has no room for ${fields.overQuota.join(", ")}`,
      {
        hint: `Free custom properties there, then: ${resync}`,
      },
    );
  }
}
