/** `@name` in a statement that is put together of parts, as `$1`, `$2`, …, with the values of those alone that are in it. */
export function named(
  text: string,
  values: Readonly<Record<string, unknown>>,
): [text: string, values: unknown[]] {
  const names: string[] = [];
  const numbered = text.replaceAll(/@(\w+)/g, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return [numbered, names.map((name) => values[name] ?? null)];
}
