import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { readProto } from "../../generator/components/workloads/proto.ts";
import { maxFileBytes } from "../../generator/diagnostics/limits.ts";
import { answer } from "../support/answer.ts";
import { yamlSigns } from "../support/arbitraries.ts";
import { hostileProtos, refusedSpecs } from "../support/hostile.ts";
import { specText } from "../support/specs.ts";
import { cpuTime, leastCpuTime } from "./cpu-time.ts";

/*
 * Compares the CPU time for hostile texts with the CPU time for ordinary texts. The tests measure both times on the
 * same machine, so the results do not depend on the speed of the machine.
 */

const small = 100_000;
const medium = 500_000;
const large = maxFileBytes - 1;
/** CPU time of ordinary files, in milliseconds. */
const ordinary = { spec: 0, small: 0, large: 0, proto: 0 };

beforeAll(() => {
  const spec = specText();
  const commented = (size: number): string => spec + "# a comment\n".repeat(Math.floor((size - spec.length) / 12));
  ordinary.spec = leastCpuTime(() => answer(spec), 20);
  ordinary.small = leastCpuTime(() => answer(commented(small)));
  ordinary.large = leastCpuTime(() => answer(commented(large)));
  const messages = Array.from({ length: 10_000 }, (_, index) => `message M${index} { string first = 1; string second = 2; }\n`);
  const proto = `syntax = "proto3"; ${messages.join("")} service S { rpc A (M1) returns (M2); }`;
  expect(readProto("x.proto", proto).diagnostics).toEqual([]);
  ordinary.proto = leastCpuTime(() => readProto("x.proto", proto));
});

test.each([
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
])("the time for a file that repeats %j is at most proportional to the size of the file", (piece) => {
  const time = (size: number): number => cpuTime(() => answer(piece.repeat(Math.floor(size / piece.length))));
  const [few, many] = [time(small), time(medium)];
  expect(few).toBeLessThan(80 * ordinary.small);
  // The second text is five times as long as the first text. An algorithm with quadratic time would take 25 times as
  // long for the second text.
  expect(many).toBeLessThan((3 * Math.max(few, ordinary.small) * medium) / small);
});

test.each(refusedSpecs)("rejecting %s takes less than 8 times as long as reading an ordinary file of maximum size", (_, text) => {
  expect(cpuTime(() => answer(text))).toBeLessThan(8 * ordinary.large);
});

test.each(hostileProtos)(
  "reading a .proto file with %s takes less than ten times as long as reading a .proto file with ten thousand messages",
  (_, text) => {
    expect(cpuTime(() => readProto("x.proto", text))).toBeLessThan(10 * ordinary.proto);
  },
);

test("reading a random text of YAML syntax takes less than ten times as long as reading an ordinary file of 100 kB", () => {
  const times = fc.sample(yamlSigns, 200).map((text) => cpuTime(() => answer(text)));
  expect(Math.max(...times)).toBeLessThan(10 * ordinary.small);
});
