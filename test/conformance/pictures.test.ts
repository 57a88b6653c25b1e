import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { meshops } from "../support/cli.ts";
import { withBrowser } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Tests the output of `meshops graph` in a real browser. Mermaid's own renderer draws the Mermaid diagrams. The tests
 * of the HTML page pan, zoom and search the graphs, and read the content of the page. If the variable SCREENSHOTS
 * contains the path of a folder, the tests write screenshots into this folder.
 */
let browser: Browser;
let page: Page;
const requests: string[] = [];

withBrowser("the output of meshops graph", () => {
  beforeAll(async () => {
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("request", (request) => requests.push(request.url()));
    page.setDefaultTimeout(10_000);
  });

  afterAll(() => browser.close());

  const stories = join(projectRoot, "test/stories/graph");
  test.each(readdirSync(stories))("%s is rendered by Mermaid, as on GitHub", async (file) => {
    const text = readFileSync(join(stories, file), "utf8");
    const diagrams = [...text.matchAll(/```mermaid\n(.*?)```/gs)].map(([, code = ""]) => code);
    expect(diagrams.length).toBeGreaterThan(0);
    await page.setContent("<main></main>");
    await page.addScriptTag({ path: join(createRequire(import.meta.url).resolve("mermaid"), "../mermaid.min.js") });
    for (const [index, diagram] of diagrams.entries()) {
      const svg = await page.evaluate(draw, [diagram, index] as const);
      const boxes = [...diagram.matchAll(/^ {2}b\d+[[{(]/gm)].length;
      expect(svg.match(/class="node /g)).toHaveLength(boxes);
    }
    await keep(file.replace(".md", "-mermaid"));
  });

  test("a page of two environments makes no network requests, and has tables with the contents of the graphs", async () => {
    await open(["dev", "production"]);
    expect(requests.filter((url) => !url.startsWith("file:"))).toEqual([]);
    expect(await page.locator(".view svg").count()).toBe(4);
    expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual(["Order of reconciliation", "Access"]);
    expect(await page.getByRole("row", { name: "grafana – grafana" }).textContent()).toContain("≠ only in production");
    // Each graph is an image with a name and a description for screen readers.
    for (const picture of await page.locator(".view svg").all()) {
      expect(await picture.getAttribute("role")).toBe("img");
      expect(await picture.getAttribute("aria-label")).toMatch(/^(dev|production): /);
      expect((await picture.locator("desc").textContent())?.length).toBeGreaterThan(100);
    }
    await keep("page");
  });

  test("a graph can be zoomed, panned and reset with the mouse wheel, the mouse, keys and buttons", async () => {
    await open(["dev"]);
    const view = page.locator(".view").first();
    const seen = async (): Promise<number[]> =>
      ((await view.locator("svg").getAttribute("viewBox")) ?? "").split(" ").map(Number);
    const whole = await seen();
    const center = await view.boundingBox();
    await page.mouse.move((center?.x ?? 0) + 200, (center?.y ?? 0) + 100);
    await page.mouse.wheel(0, -200);
    const near = await seen();
    expect(near[2]).toBeLessThan(whole[2] ?? 0);
    await page.mouse.down();
    await page.mouse.move((center?.x ?? 0) + 100, (center?.y ?? 0) + 100);
    await page.mouse.up();
    expect((await seen())[0]).toBeGreaterThan(near[0] ?? Number.NaN);
    await view.focus();
    await page.keyboard.press("0");
    expect(await seen()).toEqual(whole);
    await page.keyboard.press("+");
    await page.keyboard.press("ArrowRight");
    expect((await seen())[0]).toBeGreaterThan(whole[0] ?? Number.NaN);
    await page.getByRole("button", { name: "Show all" }).first().click();
    expect(await seen()).toEqual(whole);
  });

  test("a search filters graphs and tables, and shows the number of results", async () => {
    await open(["dev"]);
    await page.getByRole("searchbox").fill("9080");
    expect(await page.getByRole("status").textContent()).toBe("1 found");
    expect(await page.locator("tbody tr:visible").count()).toBe(1);
    expect(await page.locator(".edge.hit").count()).toBe(1);
    await keep("search");
    await page.getByRole("searchbox").fill("");
    expect(await page.locator("tbody tr:visible").count()).toBeGreaterThan(20);
  });

  test("all kinds of nodes and edges can be distinguished without colors", async () => {
    await open(["dev", "production"]);
    await page.addStyleTag({ content: "html { filter: grayscale(1); }" });
    await keep("grey");
    const dashed = await page.locator(".node:has-text('≠') path[stroke-dasharray]").count();
    expect(dashed).toBe(await page.locator(".node:has-text('≠')").count());
    expect(dashed).toBeGreaterThan(0);
    // Edges of refused connections have the label "refused", and are dashed.
    expect(await page.locator(".edge:has-text('refused') path[stroke-dasharray]").count()).toBe(4);
  });
});

async function open(environments: readonly string[]): Promise<void> {
  const { code, stdout } = await meshops(projectRoot, ["graph", ...environments, "--output", "html"]);
  expect(code).toBe(0);
  const file = join(scratchFolder("page"), "graph.html");
  writeFileSync(file, stdout);
  requests.length = 0;
  await page.goto(pathToFileURL(file).href);
}

async function keep(name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** Renders a Mermaid diagram, and returns the SVG image. Playwright runs this function in the page. */
async function draw([diagram, index]: readonly [string, number]): Promise<string> {
  const { mermaid, document } = globalThis as unknown as {
    mermaid: { initialize(options: object): void; render(id: string, text: string): Promise<{ svg: string }> };
    document: { querySelector(selector: string): { insertAdjacentHTML(where: string, html: string): void } };
  };
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  const { svg } = await mermaid.render(`d${index}`, diagram);
  document.querySelector("main").insertAdjacentHTML("beforeend", svg);
  return svg;
}
