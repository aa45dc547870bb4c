import * as v from "valibot";
import type { Terminal } from "../shared/terminal.ts";
import type { ScorecardEntry } from "../vendors/contract/ats.ts";
import type { DemoTest, Story } from "./people.ts";

/** What was sent, line by line, beside what the contact holds. */
const Contacts = v.array(v.object({ email: v.string(), properties: v.record(v.string(), v.string()) }));
export type HubspotContact = v.InferOutput<typeof Contacts>[number];

export function readContacts(json: unknown): HubspotContact[] {
  return v.parse(Contacts, json);
}

export function holdings(
  stories: readonly Story[],
  contacts: readonly HubspotContact[],
  terminal: Terminal,
): string {
  const byEmail = new Map(contacts.map((contact) => [contact.email, contact]));
  const rows = stories.map((story) => {
    const tests = story.events.at(-1)?.data.tests ?? [];
    const sent = tests.filter((test) => test.status === "completed").map(sentWords);
    const held = byEmail.get(story.email)?.properties;
    return [
      story.name,
      sent.join("\n"),
      held ? heldLines(held).join("\n") : "–",
      held?.jc_test_status ?? "–",
    ];
  });
  return terminal.table(
    ["candidate", "JobCannon sent", "HubSpot holds", { name: "jc_test_status", drop: 1 }],
    rows,
  );
}

function sentWords({ slug, result }: DemoTest): string {
  const dimensions = Array.isArray(result?.dimensions) ? result.dimensions : [];
  const scores = dimensions.map(
    ({ name, score }) =>
      `${String(name)
        .replace(/^Emotional /, "")
        .slice(0, 5)} ${score}`,
  );
  return `${slug}: ${scores.length > 0 ? scores.join(" ") : String(result?.type ?? result?.score ?? "–")}`;
}

const GROUPS = [
  ["jc_disc_d", "jc_disc_i", "jc_disc_s", "jc_disc_c"],
  ["jc_mbti_type"],
  ["jc_bigfive_o", "jc_bigfive_c", "jc_bigfive_e", "jc_bigfive_a", "jc_bigfive_n"],
  ["jc_iq_score"],
  ["jc_riasec_holland"],
];

export function heldLines(properties: Record<string, string>): string[] {
  return GROUPS.filter((group) => group.some((name) => properties[name])).map((group) =>
    group
      .map((name, index) =>
        index === 0 ? `${name} ${properties[name]}` : `${name.slice(-2)} ${properties[name]}`,
      )
      .join(" "),
  );
}

/** What recruiters see of a result, each entry in a few rows. `knownFields`: what the company calls its fields. */
export function scorecardTable(
  entries: readonly ScorecardEntry[],
  knownFields: readonly string[],
  terminal: Terminal,
): string {
  const labelOf = (id: string) =>
    knownFields.find((known) => known.endsWith(` (${id})`))?.slice(0, -` (${id})`.length) ?? id;
  const rows = entries.flatMap(({ title, summary, resultUrl, fields }) => [
    ["title", title],
    ["summary", summary ?? "–"],
    ["result", resultUrl ?? "–"],
    ["fields", fields.map(({ fieldId, value }) => `${labelOf(fieldId)} ${value}`).join(", ")],
  ]);
  return terminal.table(["", "SmartRecruiters holds"], rows);
}

/** What recruiters see of a result on the candidate's profile. */
export function resultTable(
  properties: Readonly<Record<string, string | number>>,
  notes: readonly { content: string }[],
  terminal: Terminal,
): string {
  return terminal.table(
    ["profile", { name: "SmartRecruiters holds", below: true }],
    [
      ...Object.entries(properties).map(([key, value]) => [key, String(value)]),
      ...notes.map(({ content }) => ["note", content]),
    ],
  );
}
