import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Path of the installed Chromium; null if Chromium is not installed. */
export const chromiumPath: string | null =
  [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path !== "" && existsSync(path),
  ) ?? null;

/** Starts a browser without a window. The options disable the network requests that a browser sends on its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? "",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
