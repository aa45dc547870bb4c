/** `/metrics` as a scraper reads it. */
import { expect } from "vitest";

export interface Scraped {
  text: string;
  /** Of the sample with exactly these labels; undefined where there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  /** Every metric that is described, whether it has samples or not. */
  names: string[];
  /** All values of a label. */
  valuesOf(label: string): Set<string>;
}

export async function scrape(adminUrl: string): Promise<Scraped> {
  const answer = await fetch(`${adminUrl}/metrics`);
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return scrapedFrom(text);
}

export function scrapedFrom(text: string): Scraped {
  const samples = new Map<string, number>();
  const all: Record<string, string>[] = [];
  for (const line of text.split("\n")) {
    const [, name, written = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = Object.fromEntries(
      [...written.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, of]) => [key, of]),
    );
    all.push(labels);
    samples.set(keyOf(name, labels), Number(value));
  }
  return {
    text,
    value: (name, labels = {}) => samples.get(keyOf(name, labels)),
    names: [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = ""]) => name),
    valuesOf: (label) => new Set(all.flatMap((labels) => labels[label] ?? [])),
  };
}

function keyOf(name: string, labels: Record<string, string>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
