/*
 * Inputs that could take too much time or overflow the stack. The tests in test/stories check the findings for these
 * inputs. The tests in test/timing check the CPU time.
 */

/** Specs that meshops rejects. Each entry contains a title, the text of the spec, and the code of the finding. */
export const refusedSpecs: readonly (readonly [title: string, text: string, code: string])[] = [
  ["an alias bomb", bomb(), "yaml-alias"],
  ["deep brackets", `a: ${"[".repeat(100_000)}`, "yaml-too-deep"],
  ["deep braces", `a: ${"{a: ".repeat(50_000)}`, "yaml-too-deep"],
  ["deep dashes", `${"- ".repeat(100_000)}a`, "yaml-too-deep"],
  ["deep indentation", Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), "yaml-too-deep"],
  ["two hundred levels of maps", Array.from({ length: 200 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), "yaml-too-deep"],
  ["a map that contains itself", "a: &a {b: *a}", "yaml-alias"],
  ["a list that contains itself", "spec: {dgraph: {serviceProfile: &a [*a]}}", "yaml-alias"],
  ["an alias without an anchor", "a: *nowhere", "yaml-alias"],
  ["a merge key whose value is not a map", "a: {<<: 1}", "yaml-alias"],
  ["a tag of an unknown type", "a: !secret x", "yaml-syntax"],
  ["ten thousand values", `a: [${"1, ".repeat(10_000)}]`, "file-too-large"],
  [
    "a hundred unknown keys",
    `spec:\n${Array.from({ length: 100 }, (_, index) => `  key${index}: 1`).join("\n")}`,
    "too-many-findings",
  ],
  ["two megabytes", `a: ${"x".repeat(2 * 1024 * 1024)}`, "file-too-large"],
];

const megabytes = 2 * 1024 * 1024;

/**
 * .proto files. Each entry contains a title, the text of the file, and the code of the finding. The code is null if
 * meshops accepts the file.
 */
export const hostileProtos: readonly (readonly [title: string, text: string, code: string | null])[] = [
  ["a hundred thousand nested messages", "message A {".repeat(100_000) + "}".repeat(100_000), "proto-syntax"],
  [
    "an option nested fifty thousand deep",
    `service S { rpc A (B) returns (C) { option (x) = ${"{a:".repeat(50_000)}1${"}".repeat(50_000)}; } }`,
    "proto-syntax",
  ],
  [
    "megabytes of comments that look like code",
    `/*${"service X { rpc Y (A) returns (B); }\n".repeat(megabytes / 40)}*/ service S { rpc A (B) returns (C); }`,
    null,
  ],
  ["megabytes of line comments", `${"// service X {\n".repeat(megabytes / 15)}service S { rpc A (B) returns (C); }`, null],
  ["a comment that never ends", `service S { rpc A (B) returns (C); } /*${"*".repeat(megabytes)}`, "proto-syntax"],
  ["a string that never ends", `option x = "${"\\\\".repeat(megabytes / 2)}`, "proto-syntax"],
  ["megabytes of slashes", "/".repeat(megabytes), "proto-without-service"],
  ["megabytes of brackets", "(".repeat(megabytes), "proto-syntax"],
  ["megabytes on one line", `service S { ${"rpc A (B) returns (C); ".repeat(10)} ${" ".repeat(megabytes)}`, "proto-syntax"],
  [
    "twenty thousand methods",
    `service S {${Array.from({ length: 20_000 }, (_, i) => `rpc M${i} (A) returns (B);\n`).join("")}}`,
    null,
  ],
  [
    "twenty thousand services",
    Array.from({ length: 20_000 }, (_, i) => `service S${i} { rpc A (A) returns (B); }\n`).join(""),
    null,
  ],
  ["random bytes", String.fromCharCode(...Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)), "proto-syntax"],
  ["more bytes than the maximum size", " ".repeat(9 * 1024 * 1024), "file-too-large"],
  ["nothing", "", "proto-without-service"],
  ["messages alone", "message A {}", "proto-without-service"],
];

function bomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 10; level += 1)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    );
  return lines.join("\n");
}
