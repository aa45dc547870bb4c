// What the suites share: the middle of several runs, and the table that shows it.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `values` under their `heading`s; `isHeld` is absent where there is no goal. */
export function printTable(rows) {
  const headings = ["", "median", "spread", "ratio", "goal", "", "notes"];
  const cells = rows.map(({ what, median, spread, ratio, goal, isHeld, notes }) => [
    what,
    median,
    spread ?? "",
    ratio ?? "",
    goal ?? "",
    isHeld === undefined ? "" : isHeld ? "held" : "MISSED",
    notes ?? "",
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...cells.map((row) => row[column])].map((text) => text.length)),
  );
  for (const row of [headings, ...cells])
    console.log(
      row
        .map((text, column) => text.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}
