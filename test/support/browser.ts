import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Path of the installed Chromium; null if Chromium is not installed. */
export const chromiumPath: string | null =
  [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path !== "" && existsSync(path),
  ) ?? null;

/** Starts a headless browser. The browser itself sends no network requests. */
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
