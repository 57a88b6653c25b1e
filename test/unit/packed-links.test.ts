import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { expect, test } from "vitest";
import { projectRoot } from "../support/tools.ts";

const { files } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { files: string[] };

/** Returns whether the npm package contains a file. npm always packs README.md, LICENSE and package.json. */
function isPacked(path: string): boolean {
  return (
    /^(README\.md|LICENSE|package\.json)$/.test(path) || files.some((entry) => path === entry || path.startsWith(`${entry}/`))
  );
}

const docs = readdirSync(join(projectRoot, "docs"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`);
const pages = [...docs, "README.md", ...files.filter((file) => file.endsWith(".md"))];

/** Returns the targets of a page's relative links, as paths in the repository. Ignores links in code blocks. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(projectRoot, page), "utf8").replaceAll(/```.*?```/gs, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const relative = targets.filter((target) => !/^(https?:|mailto:|#)/.test(target));
  return relative.map((target) => normalize(join(dirname(page), target.replace(/#.*/, ""))));
}

test("the target of every relative link in a packed page is a packed file", () => {
  const links = pages.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  expect(links.length).toBeGreaterThan(150);
  const dead = links.filter(({ target }) => !isPacked(target) || !existsSync(join(projectRoot, target)));
  expect(dead).toEqual([]);
});
