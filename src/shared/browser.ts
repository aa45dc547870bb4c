import { once } from "node:events";
import { safeUrl } from "./url.ts";
import type { Outside } from "./world.ts";

/**
 * Opens a URL in the desktop's browser. Rejects where none can be opened; resolves only once the starter says that it did, which
 * some do not before the browser is closed.
 */
export async function openBrowser(
  url: string,
  { env, platform }: Pick<Outside, "env" | "platform">,
): Promise<void> {
  if (!safeUrl(url)) throw new Error("that is no link");
  // Where there is no screen some starters find a browser for text, which nobody would see.
  if (platform === "linux" && !SCREENS.some((name) => env[name])) throw new Error("there is no screen");
  const { default: open } = await import("open");
  const child = await open(url);
  child.unref();
  const code: unknown = child.exitCode ?? (await once(child, "exit"))[0];
  if (code !== 0) throw new Error(`the browser's starter ended with ${String(code)}`);
}

const SCREENS = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"];
