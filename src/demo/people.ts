/** Invented candidates and what JobCannon tells of them; the same ones each time. */
export interface DemoEvent {
  type: string;
  timestamp: string;
  data: {
    invitation_id: string;
    org: string;
    status: string;
    sent_at: string;
    completed_at: string | null;
    candidate: { email: string; first_name: string; last_name: string };
    tests: DemoTest[];
    result_url: null;
  };
}

export interface DemoTest {
  slug: string;
  status: "assigned" | "started" | "completed";
  completed_at: string | null;
  result: Record<string, unknown> | null;
}

export interface Story {
  email: string;
  name: string;
  outcome: "completed" | "in_progress" | "invited" | "expired";
  /** In the order in which they happened. */
  events: DemoEvent[];
}

const FIRST =
  "Ada Amir Anouk Bela Carla Chidi Dana Elif Emil Femi Greta Hana Ivo Jonas Kaya Lena Luis Mara Milo Nadia Noor Oskar Pia Quinn Rosa Sami Tara Uma Viktor Wren Yara Zeno".split(
    " ",
  );
const LAST =
  "Abadi Berg Castell Dahl Eriksen Fontaine Grau Hofer Ibsen Jensen Kato Lindqvist Moreau Nkemelu Okafor Petrov Quist Rossi Stein Tanaka".split(
    " ",
  );
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** `count` candidates of `org`, whose events all lie in the three days before `now`. */
export function makeStories(count: number, org: string, now: number): Story[] {
  const random = seeded(20_261_122);
  return Array.from({ length: count }, (_, index) => makeStory(index, org, now, random));
}

function makeStory(index: number, org: string, now: number, random: () => number): Story {
  const first = FIRST[index % FIRST.length] ?? "Ada";
  const last = LAST[Math.floor(index / 3) % LAST.length] ?? "Berg";
  const email = `${first}.${last}.${index}@example.org`;
  const sentAt = now - DAY_MS - Math.floor(random() * 2 * DAY_MS);
  const luck = random();
  const outcome =
    luck < 0.72 ? "completed" : luck < 0.9 ? "in_progress" : luck < 0.96 ? "invited" : "expired";
  const done = outcome === "completed" ? 3 : outcome === "in_progress" ? 1 + Math.floor(random() * 2) : 0;
  const tests = makeTests(random);

  const eventAfter = (type: string, status: string, finished: number): DemoEvent => {
    const at = sentAt + (finished + 1) * 40 * MINUTE_MS;
    return {
      type,
      timestamp: iso(at),
      data: {
        invitation_id: `inv_demo_${String(index).padStart(4, "0")}`,
        org,
        status,
        sent_at: iso(sentAt),
        completed_at: status === "completed" ? iso(at) : null,
        candidate: {
          email: index % 7 === 0 ? ` ${email.toUpperCase()} ` : email,
          first_name: first,
          last_name: last,
        },
        tests: tests.map((test, place) => {
          if (place < finished) return { ...test, completed_at: iso(sentAt + (place + 1) * 40 * MINUTE_MS) };
          return {
            slug: test.slug,
            status: place === finished && finished > 0 ? "started" : "assigned",
            completed_at: null,
            result: null,
          };
        }),
        result_url: null,
      },
    };
  };
  const events = [eventAfter("invite.sent", "invited", 0)];
  for (let finished = 1; finished <= Math.min(done, 2); finished += 1) {
    events.push(eventAfter("invite.progress", "in_progress", finished));
  }
  if (outcome === "completed") events.push(eventAfter("invite.completed", "completed", 3));
  if (outcome === "expired") events.push(eventAfter("invite.expired", "expired", 0));
  return { email: email.toLowerCase(), name: `${first} ${last}`, outcome, events };
}

function makeTests(random: () => number): DemoTest[] {
  const score = () => Math.round(20 + random() * 75);
  const dimensions = (names: string[]) => names.map((name) => ({ name, score: score() }));
  const letters = ["EI", "NS", "TF", "JP"].map((pair) => pair[Math.floor(random() * 2)]).join("");
  const completed = (slug: string, result: Record<string, unknown>): DemoTest => ({
    slug,
    status: "completed",
    completed_at: null,
    result,
  });
  const choices = [
    completed("big-five", {
      dimensions: dimensions([
        "Openness",
        "Conscientiousness",
        "Extraversion",
        "Agreeableness",
        "Emotional Stability",
      ]),
    }),
    completed("iq-test", { score: Math.round(85 + random() * 50) }),
    completed("riasec", {
      dimensions: dimensions([
        "Realistic",
        "Investigative",
        "Artistic",
        "Social",
        "Enterprising",
        "Conventional",
      ]),
    }),
  ];
  return [
    completed("disc", {
      dimensions: dimensions(["Dominance", "Influence", "Steadiness", "Conscientiousness"]),
    }),
    completed("mbti", { type: `${letters}-${random() < 0.5 ? "A" : "T"}` }),
    choices[Math.floor(random() * choices.length)] ?? completed("integrity", { score: score() }),
  ];
}

/** Puts the list into another order, the same one each time. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = seeded(seed);
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Mulberry32: small, and good enough to invent people with. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
