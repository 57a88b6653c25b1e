import { expect, test } from "vitest";
import { parseSource } from "../../generator/spec/parse.ts";

const spec = `apiVersion: meshops.dev/v1alpha1
metadata: {name: dev}
spec:
  gitops: {url: https://github.com/acme/platform}
  linkerd:
    viz: {enabled: true}
`;

/** Returns the position, the message and the fix of each finding about a text. */
function findings(text: string): string[] {
  return parseSource("environments/dev.yaml", text).diagnostics.map(
    ({ line, column, message, fix }) => `${line}:${column} ${message}; ${fix}`,
  );
}

test.each([
  [
    "a merge conflict",
    spec.replace("  linkerd:\n", "<<<<<<< HEAD\n  linkerd:\n=======\n  dgraph:\n>>>>>>> topic\n"),
    "5:1 the file contains an unresolved merge conflict; keep one side of the conflict, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>",
  ],
  ["a tab", spec.replace("    viz", "\tviz"), "6:1 tabs are not allowed as indentation; replace the tab with spaces"],
  [
    "wrong indentation",
    spec.replace("  linkerd", " linkerd"),
    "5:1 this line has a different indentation than the other keys of its map; indent this line with as many spaces as the other keys of its map",
  ],
  [
    "a missing bracket",
    spec.replace("dev}", "dev"),
    "3:1 a closing } is missing before this line; add the missing } above this line",
  ],
  [
    "a missing quote",
    spec.replace("url: https", 'url: "https'),
    '4:17 the opening quote " has no closing quote; add " at the end of the value',
  ],
])("%s causes exactly one finding, whose position is that of the mistake", (_, text, expected) => {
  expect(findings(spec)).toEqual([]);
  expect(findings(text)).toEqual([expected]);
});
