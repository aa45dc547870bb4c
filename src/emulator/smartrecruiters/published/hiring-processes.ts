/** `/configuration/hiring-processes`: the steps that a company's candidates go through. */
import { json } from "../../http.ts";
import { notFound } from "../errors.ts";
import type { SmartWorld } from "../world.ts";
import type { PublishedRoute } from "./api.ts";

interface HiringProcess {
  id: string;
  name: string;
  active: boolean;
  subStatuses: Readonly<Record<"IN_REVIEW" | "INTERVIEW" | "OFFERED", readonly string[]>>;
}

const PROCESSES: readonly HiringProcess[] = [
  {
    id: "hp1",
    name: "Standard",
    active: true,
    subStatuses: {
      IN_REVIEW: ["Screening", "Assessment"],
      INTERVIEW: ["Phone screen", "Onsite"],
      OFFERED: ["Offer sent"],
    },
  },
  {
    id: "hp2",
    name: "Campus",
    active: true,
    subStatuses: { IN_REVIEW: ["Assessment"], INTERVIEW: ["Assessment"], OFFERED: [] },
  },
  { id: "hp3", name: "Old", active: false, subStatuses: { IN_REVIEW: ["Gone"], INTERVIEW: [], OFFERED: [] } },
];

export function hiringProcessRoutes(world: SmartWorld): PublishedRoute[] {
  return [
    {
      method: "GET",
      path: "/configuration/hiring-processes",
      scope: "configuration_read",
      answer: () => json(200, { content: PROCESSES.map((each) => show(world, each)) }),
    },
    {
      method: "GET",
      path: "/configuration/hiring-processes/:id",
      scope: "configuration_read",
      answer: ({ param }) => {
        const found = PROCESSES.find(({ id }) => id === param("id"));
        return found ? json(200, show(world, found)) : notFound("There is no such hiring process");
      },
    },
  ];
}

/** Whether a step is a name or a thing with one, its documents do not say. */
function show({ published }: SmartWorld, { subStatuses, ...process }: HiringProcess): object {
  if (published.subStatusesAre === "names") return { ...process, subStatuses };
  const named = Object.entries(subStatuses).map(([status, names]) => [
    status,
    names.map((name) => ({ id: name.toLowerCase().replaceAll(" ", "-"), name })),
  ]);
  return { ...process, subStatuses: Object.fromEntries(named) };
}
