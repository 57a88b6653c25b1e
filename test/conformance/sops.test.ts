import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { armor } from "age-encryption";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type EncryptionRule, secretRule } from "../../generator/sops/encryption-rule.ts";
import { SopsError, type SopsProblem } from "../../generator/sops/error.ts";
import { decryptFile, encryptFile, updateKeys } from "../../generator/sops/file.ts";
import { inspectFile } from "../../generator/sops/inspect.ts";
import type { Format } from "../../generator/sops/values.ts";
import { withTools } from "../support/guards.ts";
import { scratchFolder, testIdentity } from "../support/platform.ts";
import { realSops, sopsDecrypt, sopsEncrypt } from "../support/sops.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

const now = new Date("2026-11-24T12:00:00Z");
const everything: EncryptionRule = { kind: "unencrypted_suffix", value: "_unencrypted" };
const slow = process.env["SLOW"] === "1" ? 10 : 1;

/** Texts that a YAML parser or writer may change, or may convert to a value of another type. */
const nasty = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom(
    "yes",
    "no",
    "on",
    "null",
    "~",
    "true",
    "1e3",
    "0x1f",
    "0o7",
    "0777",
    "1_000",
    "12:30:45",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    ".inf",
    "-.5",
    "<<",
    "=",
    "!",
    "&a",
    "*a",
    "- a",
    "a: b",
    "a #b",
    "#c",
    "ENC[",
    "|",
    ">",
    "%a",
    "@",
    "`",
    "{}",
    "[]",
    "'",
    '"',
    "\\",
    "\t",
    " ",
    "a\nb",
    "a\n\nb\n",
    "\n",
    " a\n b",
    "a \n",
    "a\r\nb",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\u0000",
    "é",
    "😀",
    "-----BEGIN X-----\nabc\n-----END X-----\n",
  ),
);
const key = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,8}$/),
  nasty.filter((text) => text !== "sops" && text !== "__proto__" && text !== "" && !/\n/.test(text)),
);
const leaf = fc.oneof(
  nasty,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  // Floats between 2^63 and 2^64 are left out. meshops would write such a float as an integer that sops cannot
  // represent.
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Object.is(value, -0) ? 0 : value))
    .filter((value) => Math.abs(value) < 2 ** 63 || Math.abs(value) >= 2 ** 64),
);
const tree = fc.letrec<{ value: unknown; map: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("map"), fc.array(tie("value"), { maxLength: 4 })),
  map: fc.dictionary(key, tie("value"), { maxKeys: 5 }),
}));
const document = fc
  .record({ data: tree.map, stringData: tree.map, kind: leaf, other: tree.map, spare_unencrypted: tree.map })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);
/**
 * Combines several documents into one document. The keys of the first document are at the top level. Each other
 * document becomes the value of a key that no rule matches. One run of sops can then process several documents. This
 * saves time, because the start of sops takes longer than the processing of a document.
 */
const several = (one: typeof document): fc.Arbitrary<Record<string, unknown>> =>
  fc.array(one, { minLength: 1, maxLength: 12 }).map(([first, ...others]) => ({
    ...first,
    ...Object.fromEntries(others.map((other, index) => [`b${"bcdefghijkl"[index]}`, other])),
  }));
const rules: readonly EncryptionRule[] = [
  everything,
  secretRule,
  { kind: "encrypted_suffix", value: "a" },
  { kind: "unencrypted_regex", value: "(?i)^[k-z]" },
  { kind: "encrypted_regex", value: "[[:digit:]]|^data$" },
];
/**
 * Each rule occurs twice: once with a MAC that covers only the encrypted values, and once with a MAC that covers all
 * values.
 */
const ways = rules.flatMap((rule) => [true, false].map((macOnlyEncrypted) => ({ rule, macOnlyEncrypted })));

withTools(["sops", "age"], "SOPS files", () => {
  const alice = (): { identity: string; recipient: string } => ({
    identity: testIdentity().adminKey,
    recipient: testIdentity().adminRecipient,
  });
  const bob = (): { identity: string; recipient: string } => ({
    identity: testIdentity().clusterKey,
    recipient: testIdentity().clusterRecipient,
  });
  const encrypt = (text: string, options: Partial<Parameters<typeof encryptFile>[1]> = {}): Promise<string> =>
    encryptFile(text, { recipients: [alice().recipient], now, ...options });
  const decrypt = (text: string, format: Format = "yaml"): Promise<string> =>
    decryptFile(text, { identities: [alice().identity], format });

  describe("of any content", () => {
    test.each(["yaml", "json"] as const)("written by meshops are decrypted by the real sops (%s)", async (format) => {
      for (const way of ways)
        await fc.assert(
          fc.asyncProperty(several(document), async (value) => {
            const plain = format === "json" ? JSON.stringify(value) : toYaml(value);
            const encrypted = await encrypt(plain, { ...way, format });
            const { code, stdout, stderr } = await sopsDecrypt(encrypted, alice().identity, format, "json");
            expect(code, stderr).toBe(0);
            expect(JSON.parse(stdout)).toEqual(value);
            expect(read(await decrypt(encrypted, format), format)).toEqual(value);
          }),
          { numRuns: slow },
        );
    });

    test.each(["yaml", "json"] as const)("written by the real sops are decrypted by meshops (%s)", async (format) => {
      for (const { rule, macOnlyEncrypted } of ways)
        await fc.assert(
          fc.asyncProperty(several(document.filter(writtenWell)), async (value) => {
            const plain = format === "json" ? JSON.stringify(value) : toYaml(value);
            const encrypted = await sopsEncrypt(plain, [alice().recipient], rule, macOnlyEncrypted, format);
            expect(read(await decrypt(encrypted, format), format)).toEqual(value);
          }),
          { numRuns: slow },
        );
    });

    test("can be decrypted by meshops after edits by the real sops", async () => {
      await fc.assert(
        fc.asyncProperty(several(document.filter(writtenWell)), async (value) => {
          const file = join(scratchFolder("edit"), "a.yaml");
          writeFileSync(file, await encrypt(toYaml(value), { rule: everything, macOnlyEncrypted: false }));
          await run(tool("sops"), ["set", file, '["data"]["added"]', '{"by": ["sops", 1]}'], {
            env: { SOPS_AGE_KEY: alice().identity },
          });
          const edited = read(await decrypt(readFileSync(file, "utf8")), "yaml") as Record<string, unknown>;
          expect(edited).toEqual({ ...value, data: { ...(value["data"] as object), added: { by: ["sops", 1] } } });
        }),
        { numRuns: 6 * slow },
      );
    });
  });

  const handPicked = `# at the top

apiVersion: v1 # inline
kind: Secret
metadata:
  name: a
  labels: {x: "1", "y": 'b'}
data:
  # before a key
  tls.key: c2VjcmV0
  empty: ""
  nothing: ~
  missing:
  folded: >-
    two
    lines
  literal: |
    -----BEGIN X-----
    abc
    -----END X-----
stringData:
  list:
    # before an item
    - 1 # behind an item
    - 1.50
    - -0.0
    - 1e21
    - 0x1f
    - 0o17
    - 0777
    - 1_000
    - 9223372036854775807
    - 123456789012345678901234567890
    - .inf
    - -.INF
    - .NaN
    - True
    - yes
    - 2001-12-14
    - 2001-12-14t21:59:43.10-05:00
    - 2001-1-1 1:2:3.4567
    - 2001-02-30
    - "quoted"
    - 'single ''quoted'''
    - plain
      over lines
    - [flow, {of: 'maps'}, []]
    - {}
    - - nested
      - - deeper
  map:
    # inside
    deep:
      deeper: {a: 1}
    # at its end
`;

  describe("with all features of YAML", () => {
    test.each([
      ["payload only", secretRule, true],
      ["everything", everything, false],
    ] as const)("%s: files that meshops and sops encrypt are decrypted to the same values", async (_, by, macOnlyEncrypted) => {
      const ours = await encrypt(handPicked, { rule: by, macOnlyEncrypted });
      const theirs = await sopsEncrypt(handPicked, [alice().recipient], by, macOnlyEncrypted);
      const [seen, expected] = [await sopsDecrypt(ours, alice().identity), await sopsDecrypt(theirs, alice().identity)];
      expect(seen.stderr).toBe("");
      expect(parse(seen.stdout)).toEqual(parse(expected.stdout));
      for (const comment of ["at the top", "inline", "before a key", "before an item", "behind an item", "inside", "at its end"])
        expect(seen.stdout).toContain(`# ${comment}`);
      // meshops also decrypts both files to the same values.
      expect(parse(await decrypt(theirs))).toEqual(parse(await decrypt(ours)));
      expect(await decrypt(theirs)).not.toContain("ENC[");
    });

    test("encryption keeps comments, order, quotes and indentation of the parts that are not encrypted", async () => {
      const ours = await encrypt(handPicked);
      expect(ours.split("data:")[0]).toBe(handPicked.split("data:")[0]?.replace("{x:", "{ x:").replace("'b'}", "'b' }"));
      for (const secret of ["c2VjcmV0", "before a key", "-----BEGIN X", "two lines", "behind an item", "over lines"])
        expect(ours).not.toContain(secret);
    });

    test("meshops and sops store the same type for each encrypted value", async () => {
      const types = (text: string): (string | undefined)[] =>
        [...text.matchAll(/,type:([a-z]+)\]/g)].map(([, type]) => type).filter((type) => type !== "comment");
      const theirs = await sopsEncrypt(handPicked, [alice().recipient], everything, false);
      expect(types(await encrypt(handPicked, { rule: everything, macOnlyEncrypted: false }))).toEqual(types(theirs));
    });
  });

  describe("recipients", () => {
    const access = (): Parameters<typeof updateKeys>[1] => ({ identities: [alice().identity], now });

    test("each of several recipients can decrypt the file with meshops, the real sops and age", async () => {
      const text = await encrypt("data: {a: secret}", { recipients: [alice().recipient, bob().recipient] });
      for (const { identity, recipient } of [alice(), bob()]) {
        expect(await decryptFile(text, { identities: [identity] })).toBe("data: { a: secret }\n");
        expect((await sopsDecrypt(text, identity)).code).toBe(0);
        const keyFile = join(scratchFolder("age"), "key.txt");
        writeFileSync(keyFile, identity);
        const enc = inspectFile(text).age.find((entry) => entry.recipient === recipient)?.enc ?? "";
        const dataKey = join(scratchFolder("age"), "data.age");
        writeFileSync(dataKey, enc);
        const opened = await run("sh", ["-c", `"${tool("age")}" -d -i "${keyFile}" "${dataKey}" | wc -c`]);
        expect(opened.trim()).toBe("32");
        expect(armor.decode(enc).length).toBeGreaterThan(100);
      }
    });

    test("adding a recipient keeps the data key and all values", async () => {
      const before = await encrypt("data: {a: secret}");
      const after = await updateKeys(before, access(), [alice().recipient, bob().recipient]);
      expect(inspectFile(after).age.map(({ recipient }) => recipient)).toEqual([alice().recipient, bob().recipient]);
      expect(inspectFile(after).age[0]).toEqual(inspectFile(before).age[0]);
      expect(inspectFile(after).mac).toBe(inspectFile(before).mac);
      expect((await sopsDecrypt(after, bob().identity)).stdout).toContain("a: secret");
    });

    test("a removed recipient cannot decrypt the new file, even with the old data key", async () => {
      const before = await encrypt("data: {a: secret}", { recipients: [alice().recipient, bob().recipient] });
      const after = await updateKeys(before, access(), [alice().recipient]);
      expect((await sopsDecrypt(after, alice().identity)).stdout).toContain("a: secret");
      expect((await sopsDecrypt(after, bob().identity)).code).not.toBe(0);
      // Replaces the new encrypted data key with the old encrypted data key. The old data key cannot decrypt the
      // values.
      const [old, current] = [inspectFile(before).age[0]?.enc ?? "", inspectFile(after).age[0]?.enc ?? ""];
      const indented = (enc: string): string => enc.trimEnd().split("\n").join("\n        ");
      const mixed = after.replace(indented(current), indented(old));
      expect(inspectFile(mixed).age[0]?.enc).toBe(old);
      await expect(decrypt(mixed)).rejects.toMatchObject({ problem: "tampered" });
      expect(after).not.toContain(/ENC\[[^\]]*/.exec(before)?.[0]);
    });

    test("updateKeys with the same recipients changes nothing", async () => {
      const text = await encrypt("data: {a: secret}");
      expect(await updateKeys(text, access(), [alice().recipient])).toBe(text);
    });

    test("an empty list, invalid recipients and the key of another recipient are rejected", async () => {
      await expect(encrypt("data: {a: b}", { recipients: [] })).rejects.toThrow("the list of recipients is empty");
      await expect(encrypt("data: {a: b}", { recipients: ["age1nonsense"] })).rejects.toThrow("is not an age recipient");
      const text = await encrypt("data: {a: b}");
      await expect(decryptFile(text, { identities: [bob().identity] })).rejects.toMatchObject({ problem: "no-key" });
      await expect(decryptFile(text, { identities: [] })).rejects.toThrow("no age key is available to decrypt the file");
    });
  });

  describe("changes to an encrypted file", () => {
    test("meshops and sops detect a change in a value, its tag, the MAC, the time, or the data key", async () => {
      const text = await encrypt("kind: Secret\ndata: {a: secret, b: other}\nnumber: 12", {
        rule: everything,
        macOnlyEncrypted: false,
      });
      const places = [
        ...text.matchAll(/(data|iv|tag):([A-Za-z0-9+/])|lastmodified: "2026-11-24T12:00:0(\d)|mac: ENC\[AES256_GCM,data:(\w)/g),
      ];
      expect(places.length).toBeGreaterThan(12);
      const armored = text.indexOf("-----BEGIN AGE") + 120;
      const offsets = [...places.map((place) => place.index + place[0].length - 1), armored, armored + 70, armored + 200];
      for (const offset of offsets) {
        const letter = text[offset] ?? "";
        const broken =
          text.slice(0, offset) +
          (/\d/.test(letter) ? String((Number(letter) + 1) % 10) : letter === "A" ? "B" : "A") +
          text.slice(offset + 1);
        expect(broken).not.toBe(text);
        await expect(decrypt(broken), text.slice(offset - 20, offset + 5)).rejects.toBeInstanceOf(SopsError);
        expect((await sopsDecrypt(broken, alice().identity)).code, text.slice(offset - 20, offset + 5)).not.toBe(0);
      }
    });

    test("meshops detects a changed plaintext value if the MAC covers this value, and detects swapped values", async () => {
      const covered = await encrypt("kind: Secret\ndata: {a: secret}", { macOnlyEncrypted: false });
      await expect(decrypt(covered.replace("kind: Secret", "kind: Other"))).rejects.toMatchObject({ problem: "tampered" });
      expect((await sopsDecrypt(covered.replace("kind: Secret", "kind: Other"), alice().identity)).code).not.toBe(0);
      const free = await encrypt("kind: Secret\ndata: {a: secret}");
      expect(await decrypt(free.replace("kind: Secret", "kind: Other"))).toContain("kind: Other");
      const two = await encrypt("data:\n  a: one\n  b: two\n");
      const swapped = two.replace(/ {2}a: (.*)\n {2}b: (.*)\n/, "  a: $2\n  b: $1\n");
      expect(swapped).not.toBe(two);
      await expect(decrypt(swapped)).rejects.toMatchObject({ problem: "tampered" });
      // meshops also detects that a value was removed, or that a plaintext value was added.
      await expect(decrypt(two.replace(/ {2}b: .*\n/, ""))).rejects.toMatchObject({ problem: "tampered" });
      await expect(decrypt(two.replace("data:\n", "data:\n  c: plain\n"))).rejects.toMatchObject({ problem: "not-encrypted" });
      await expect(decrypt(two.replace("data:\n", "data:\n  c: 1\n"))).rejects.toMatchObject({ problem: "not-encrypted" });
    });
  });

  describe("an attack on an encrypted value", () => {
    const secret = "kind: Secret\ndata:\n  key: top-secret\n";
    const cipher = (text: string): string => /ENC\[[^\]]*\]/.exec(text)?.[0] ?? "";

    test("updateKeys does not decrypt a value that an attacker copied to a comment that must not be encrypted", async () => {
      const text = await encrypt(secret);
      for (const moved of [cipher(text), cipher(text).replace("type:str", "type:comment")]) {
        const planted = `#${moved}\n${text.replace("data:\n", `data:\n  #${moved}\n`)}`;
        const shared = await updateKeys(planted, { identities: [alice().identity], now }, [alice().recipient, bob().recipient]);
        expect(shared.replaceAll(/ENC\[[^\]]*\]/g, "")).not.toContain("top-secret");
      }
    });

    test("if an attacker changes the type of a value, the error message does not contain the value", async () => {
      const text = await encrypt(secret);
      for (const type of ["int", "float", "bool", "time", "comment", "bytes", "none"]) {
        const changed = text.replace("type:str", `type:${type}`);
        const seen = await decrypt(changed).then(
          (plain) => plain,
          (error: Error) => error.message + error.stack,
        );
        if (["time", "comment"].includes(type)) continue;
        expect(seen, type).not.toContain("top-secret");
      }
    });

    test("error messages about malformed text do not contain the text", async () => {
      const broken = [
        '{"a": "top-secret}',
        '{"a": top-secret}',
        "a: 'top-secret",
        "a: [top-secret",
        "top-secret: [}",
        "a: 99999999999999999999",
        "- top-secret",
      ];
      for (const text of broken)
        for (const format of ["yaml", "json"] as const) {
          const message = await encrypt(text, { format }).then(
            () => "",
            (error: Error) => error.message,
          );
          expect(message, text).not.toMatch(/top-secret|99999/);
        }
    });

    test("meshops rejects a carriage return in a comment, because sops would read a new line after it", async () => {
      const text = (await encrypt(secret)).replace("kind: Secret", "kind: Secret # \rimmutable: true");
      await expect(decrypt(text)).rejects.toThrow("carriage return");
      expect((await sopsDecrypt(text, alice().identity)).stdout).toContain("immutable: true");
    });
  });

  test("meshops escapes control characters in YAML, so that sops can read them", async () => {
    const value = { data: { a: "\u007f\u0080\u0085\u009f\u2028\r\n\u0007" } };
    const encrypted = await encrypt(JSON.stringify(value), { format: "json" });
    expect(JSON.parse(await decrypt(encrypted, "json"))).toEqual(value);
    const plain = '{"data": {"a": "\\x7f\\x80\\N\\x9f\\L\\r\\n\\a"}}';
    expect(parse(await decrypt(await encrypt(plain)))).toEqual(value);
    expect(JSON.parse((await sopsDecrypt(await encrypt(plain), alice().identity, "yaml", "json")).stdout)).toEqual(value);
  });

  test("meshops escapes byte order marks, because go-yaml skips a byte order mark at the start of its read buffer", async () => {
    const plain = 'data:\n  "\\uFEFF": {a: "\\uFEFF"}\n  last: 2\n';
    for (const rule of [everything, { kind: "encrypted_regex", value: "^last$" }] as const) {
      const encrypted = await encrypt(plain, { rule });
      expect(encrypted).not.toContain("\ufeff");
      const seen = await sopsDecrypt(encrypted, alice().identity, "yaml", "json");
      expect(JSON.parse(seen.stdout), seen.stderr).toEqual({ data: { "\ufeff": { a: "\ufeff" }, last: 2 } });
    }
    await expect(encrypt("data:\n  a: x\ufeffy\n")).rejects.toThrow("byte order marks");
    expect(parse(await decrypt(await encrypt("\ufeffdata: {a: b}\n")))).toEqual({ data: { a: "b" } });
  });

  test("meshops decrypts an encrypted comment at the end of a file, which sops has moved above its metadata", async () => {
    const theirs = await sopsEncrypt("a: b\n# last\n", [alice().recipient], everything, false);
    expect(await decrypt(theirs)).toContain("# last");
  });

  describe("reports a specific error for", () => {
    const problems: [string, (text: string) => string, SopsProblem, RegExp][] = [
      [
        "Shamir's key groups",
        (text) => text.replace("sops:\n", "sops:\n  key_groups: [{age: []}]\n  shamir_threshold: 2\n"),
        "unsupported",
        /key groups/,
      ],
      ["rules by comments", (text) => text.replace("encrypted_regex:", "encrypted_comment_regex:"), "unsupported", /comments/],
      [
        "two rules",
        (text) => text.replace("  encrypted_regex:", "  encrypted_suffix: a\n  encrypted_regex:"),
        "syntax",
        /may contain only one of the fields/,
      ],
      [
        "a file for PGP only",
        (text) => text.replace(/ {2}age:[\s\S]*END AGE ENCRYPTED FILE-----\n/, "  pgp:\n    - fp: ABC\n      enc: x\n"),
        "no-key",
        /the available age key cannot decrypt/,
      ],
      ["several documents", (text) => `${text}---\na: b\n`, "unsupported", /several/],
      ["no MAC", (text) => text.replace(/ {2}mac: .*\n/, ""), "tampered", /MAC/],
      ["broken YAML", (text) => `${text}\n}`, "syntax", /line/],
      ["no encryption", () => "data: {a: b}", "not-encrypted", /not encrypted/],
      ["an empty file", () => "", "syntax", /empty/],
      ["a list", () => "[a]", "syntax", /does not contain a map/],
    ];
    test.each(problems)("%s", async (_, change, problem, message) => {
      const text = await encrypt("data:\n  a: secret\n");
      await expect(decrypt(change(text))).rejects.toMatchObject({ problem, message: expect.stringMatching(message) });
    });

    test.each([
      ["an alias", "a: &x 1\ndata: {b: *x}", /alias/],
      ["a tag", "data: {a: !!binary aGk=}", /tag/],
      ["a key that is not a string", "data: {1: a}", /key 1/],
      ["a duplicate key", "data: {a: 1, a: 2}", /line 1/],
      ["an integer that sops cannot represent", "data: {a: 9223372036854775808}", /too large/],
      ["an already encrypted value", "data: {a: 'ENC[AES256_GCM,data:aa==,iv:aa==,tag:aa==,type:str]'}", /already/],
    ])("encryption of %s", async (_, text, message) => {
      await expect(encrypt(text)).rejects.toThrow(message);
    });

    test("removal of a recipient from a file that is also encrypted with another key service", async () => {
      const text = (await encrypt("data: {a: b}", { recipients: [alice().recipient, bob().recipient] })).replace(
        "sops:\n",
        "sops:\n  azure_kv:\n    - vault_url: https://v.example\n      name: k\n      version: '1'\n      enc: x\n",
      );
      expect(await decrypt(text)).toBe("data: { a: b }\n");
      await expect(updateKeys(text, { identities: [alice().identity], now }, [alice().recipient])).rejects.toThrow(
        "Azure Key Vault",
      );
      expect(await updateKeys(text, { identities: [bob().identity], now }, [alice().recipient, bob().recipient])).toBe(text);
    });
  });

  test("sops reports that an encrypted file of the sample environment dev is encrypted", async () => {
    const file = readFileSync(`${projectRoot}overlays/dev/identity/linkerd-identity-issuer.sops.yaml`, "utf8");
    expect(inspectFile(file)).toMatchObject({ rule: secretRule, macOnlyEncrypted: true, others: {} });
    const status = await realSops(["filestatus", "--input-type", "yaml"], file);
    expect(status.stdout).toContain('"encrypted":true');
  });
});

/**
 * Whether YAML parsers can correctly read a plaintext value that sops has written. The result is false for two kinds of
 * texts. The first kind contains line separators or byte order marks, because sops does not escape these characters.
 * The second kind has several lines and starts with a space or a line break, because sops writes a wrong indentation
 * indicator for such a text. meshops rejects files with such texts.
 */
function writtenWell(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/[\u0085\u2028\u2029\ufeff]/.test(text) && !/"[ \\]\S*[^"]*\\n/.test(text);
}

/**
 * Returns YAML that meshops and sops interpret in the same way. If the value contains line separators of YAML 1.1 or
 * byte order marks, all strings are in double quotes, and these characters are escaped.
 */
function toYaml(value: unknown): string {
  const separators = /[\u0085\u2028\u2029\ufeff]/g;
  const quoted = separators.test(JSON.stringify(value))
    ? ({ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE" } as const)
    : {};
  return stringify(value, { compat: "yaml-1.1", lineWidth: 0, ...quoted }).replace(
    separators,
    (letter) => ({ "\u0085": "\\N", "\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\uFEFF" })[letter] ?? letter,
  );
}

function read(text: string, format: Format): unknown {
  return format === "json" ? JSON.parse(text) : parse(text, { version: "1.2", maxAliasCount: 0 });
}
