import type { Connection, ConnectionName } from "../../core/connection.ts";

/** More orgs than this would make more time series than monitoring likes: those that came later are one. */
export const MOST_ORGS = 200;
export const OTHER_ORGS = "other";

export type Labels = Record<string, string>;

/** What a connection is called in metrics: by its org, as long as there are not too many; without where nobody wants that. */
export function whoseLabels(
  connections: readonly Pick<Connection, "id" | "org">[],
  { isByOrg, most = MOST_ORGS }: { isByOrg: boolean; most?: number },
): (connection: ConnectionName) => Labels {
  const orgs = connections.toSorted((a, b) => a.id - b.id).map(({ org }) => org);
  const named = new Set([...new Set(orgs)].slice(0, most));
  return ({ org, vendor, environment }) => {
    if (!isByOrg) return { vendor, environment };
    return { org: named.has(org) ? org : OTHER_ORGS, vendor, environment };
  };
}

export interface Sample {
  labels: Labels;
  value: number;
}

export type Joining = "sum" | "least" | "most";

const JOIN: Readonly<Record<Joining, (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  least: Math.min,
  most: Math.max,
};

/** One sample for each set of labels: of several connections the sum, or the one that is worst. */
export function joined(samples: readonly Sample[], how: Joining): Sample[] {
  const found = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    const before = found.get(key);
    found.set(key, { labels, value: before ? JOIN[how](before.value, value) : value });
  }
  return [...found.values()];
}
