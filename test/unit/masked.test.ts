import { describe, expect, it } from "vitest";
import { diagnosticAt } from "../../generator/diagnostics/source.ts";
import { masked } from "../../generator/system/text.ts";

describe("secrets in messages", () => {
  it.each([
    ["key: AGE-SECRET-KEY-1ABCDEF", "key: AGE-SECRET-KEY-1******"],
    ["url: https://user:token@example.com/a", "url: https://user:*****@example.com/a"],
    ["url: ssh://git@example.com:22/a", "url: ssh://git@example.com:22/a"],
    ["url: https://example.com:8443/a@b", "url: https://example.com:8443/a@b"],
  ])("masks %s", (text, expected) => {
    expect(masked(text)).toBe(expected);
  });

  it("masks the message, the fix and the excerpt of a finding", () => {
    const text = "spec:\n  url: https://user:token@example.com\n";
    const finding = diagnosticAt(
      "environments/dev.yaml",
      text,
      { offset: text.indexOf("https"), length: 30 },
      {
        code: "bad-format",
        severity: "error",
        message: "https://user:token@example.com is not valid",
        expected: "a URL",
        fix: "replace %s",
      },
    );
    expect(JSON.stringify(finding)).not.toContain("token");
    expect(finding.excerpt?.text).toHaveLength("  url: https://user:token@example.com".length);
  });
});
