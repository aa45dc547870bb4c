import { plain } from "../../shared/text.ts";

/** Takes files away that no command of ours looks after, as a shell takes it. */
export function removeFilesCommand(files: readonly string[]): string {
  return ["rm", ...files.map((file) => `'${plain(file).replaceAll("'", "'\\''")}'`)].join(" ");
}
