import { test } from "vitest";
import { maxFileBytes } from "../../generator/diagnostics/limits.ts";
import { answer } from "../support/answer.ts";

test("large files of every shape", () => {
  for (const piece of [
    "a",
    "- ",
    "a: b\n",
    "[",
    "[a, ",
    "{a: ",
    "? ",
    "&a ",
    "*a ",
    "'",
    '"',
    "#",
    "\n",
    "|\n",
    "!",
    "%",
    "\t",
    "---\n",
    "- - ",
    "a: &a b\n",
  ])
    for (const size of [100_000, maxFileBytes - 1]) answer(piece.repeat(Math.floor(size / piece.length)));
}, 600_000);
