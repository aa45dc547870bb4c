import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { mentions } from "../../core/erasure.ts";
import { unescaped } from "../../shared/page.ts";
import type { Person } from "../../store/contract/store.ts";

const NAME = /^person-.+-\d{8}T\d{6}Z\.(?:json|html)$/;

/** What `export` left in these directories, as far as it names the person. Of one that cannot be read nobody knows. */
export function exportsHolding(
  directories: readonly string[],
  { addresses }: Pick<Person, "addresses">,
): { file: string; isUnknown: boolean }[] {
  return filesIn(directories).flatMap((file) => {
    const text = textOf(file);
    if (text !== null && !mentions(text, addresses)) return [];
    return [{ file, isUnknown: text === null }];
  });
}

function filesIn(directories: readonly string[]): string[] {
  const found = directories.flatMap((directory) => {
    try {
      const whole = realpathSync(directory);
      return readdirSync(whole)
        .filter((name) => NAME.test(name))
        .map((name) => join(whole, name));
    } catch {
      return [];
    }
  });
  return [...new Set(found)].toSorted();
}

function textOf(file: string): string | null {
  try {
    const text = readFileSync(file, "utf8");
    return file.endsWith(".html") ? unescaped(text) : text;
  } catch {
    return null;
  }
}
