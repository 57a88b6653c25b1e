import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import type { Bundle } from "../../generator/bundle/bundle.ts";
import { render } from "../../generator/bundle/render.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { keyReader, keyReaders } from "../../generator/catalog/secret-keys.ts";
import {
  type Issued,
  makeIssuer,
  makeServerCertificate,
  makeTrustAnchor,
  makeWebhookCa,
  pairOf,
} from "../../generator/identity/authority.ts";
import { secretContracts } from "../../generator/identity/contracts.ts";
import { newIdentity, type SecretStore, serverName } from "../../generator/identity/files.ts";
import { keyFormOf } from "../../generator/identity/key-form.ts";
import { parsePem } from "../../generator/identity/pem.ts";
import { rotateIssuer, rotateWebhooks } from "../../generator/identity/rotate.ts";
import { rotateAnchor } from "../../generator/identity/rotate-anchor.ts";
import { openSecretStore } from "../../generator/identity/secret-store.ts";
import { webhooksOf } from "../../generator/mesh/webhooks.ts";
import { decryptFile } from "../../generator/sops/file.ts";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import { withProgram, withTools } from "../support/guards.ts";
import { field, objectsIn } from "../support/objects.ts";
import { scratchFolder, testIdentity } from "../support/platform.ts";
import { sopsDecrypt } from "../support/sops.ts";
import { environmentOf } from "../support/specs.ts";
import { run } from "../support/tools.ts";
import { goVerifier } from "../support/x509.ts";

const start = new Date("2026-11-24T12:00:00Z");
const names = environmentOf().spec.linkerd.identity;
const hours = (count: number): Date => new Date(start.getTime() + count * 3_600_000);

/**
 * Returns an environment, an empty map for the files of the environment's identity, and a function that returns a
 * store. The store reads files from the map, and can encrypt and decrypt files.
 */
function inMemory(spec: Record<string, unknown> = {}): {
  environment: Environment;
  files: Map<string, string>;
  vault: (now: Date) => SecretStore;
} {
  const { clusterRecipient, adminRecipient, adminKey } = testIdentity();
  const environment = environmentOf({ secrets: { age: [clusterRecipient], admin: [adminRecipient] }, ...spec });
  const files = new Map<string, string>();
  const vault = (now: Date): SecretStore => ({
    ...openSecretStore("/nowhere", environment, { identities: [adminKey], now, env: {} }),
    read: (path) => files.get(path) ?? null,
  });
  return { environment, files, vault };
}

async function started(spec: Record<string, unknown> = {}): Promise<ReturnType<typeof inMemory>> {
  const state = inMemory(spec);
  for (const [path, text] of await newIdentity(state.environment, state.vault(start), start)) state.files.set(path, text);
  return state;
}

const publicFile = (name: string): string => `environments/test/identity/${name}`;

/**
 * Whether openssl accepts a chain from a leaf certificate through an issuer to one of the anchors at the given time.
 */
async function chains(anchors: string, issuer: string, leaf: string, at: Date = hours(1)): Promise<boolean> {
  const folder = scratchFolder("chain");
  for (const [file, text] of Object.entries({ anchors, issuer, leaf })) writeFileSync(join(folder, file), text);
  const between = issuer === "" ? [] : ["-untrusted", "issuer"];
  const time = String(Math.floor(at.getTime() / 1000));
  const args = ["verify", "-attime", time, "-x509_strict", "-CAfile", "anchors", ...between, "leaf"];
  return run("openssl", args, { cwd: folder }).then(
    (output) => output.trim() === "leaf: OK",
    () => false,
  );
}

/**
 * Returns a certificate for a proxy, signed by the issuer. The certificate has the fields that Linkerd's identity
 * service sets.
 */
function leafOf(issuer: Issued): string {
  return makeServerCertificate("client.ns.serviceaccount.identity.linkerd.cluster.local", names, issuer, start).certificate;
}

describe("certificates", () => {
  const anchor = makeTrustAnchor(names, start);
  const issuer = makeIssuer(names, anchor, start);
  const webhookCa = makeWebhookCa(names, start);

  test("have the fields that Linkerd expects, according to openssl", async () => {
    const text = async (pem: string): Promise<string> => {
      const file = join(scratchFolder("pem"), "a.crt");
      writeFileSync(file, pem);
      return run("openssl", ["x509", "-in", file, "-noout", "-text"]);
    };
    const [root, intermediate, server] = await Promise.all(
      [anchor, issuer, makeServerCertificate("tap.linkerd-viz.svc", names, webhookCa, start)].map(({ certificate }) =>
        text(certificate),
      ),
    );
    for (const certificate of [root, intermediate, server])
      for (const line of ["Version: 3 (0x2)", "ecdsa-with-SHA256", "NIST CURVE: P-256", "Not Before: Nov 24 11:55:00 2026 GMT"])
        expect(certificate).toContain(line);
    expect(root).toMatch(/Issuer: CN ?= ?root\.linkerd\.cluster\.local[\s\S]*Subject: CN ?= ?root\.linkerd\.cluster\.local/);
    expect(root).toMatch(
      /Not After : Nov 21 12:00:00 2036 GMT[\s\S]*Basic Constraints: critical\s+CA:TRUE\s+X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/,
    );
    expect(intermediate).toMatch(
      /Issuer: CN ?= ?root\.linkerd\.cluster\.local[\s\S]*Subject: CN ?= ?identity\.linkerd\.cluster\.local/,
    );
    expect(intermediate).toMatch(/Not After : Nov 24 12:00:00 2027 GMT[\s\S]*CA:TRUE, pathlen:0/);
    expect(server).toMatch(
      /CA:FALSE[\s\S]*Digital Signature[\s\S]*TLS Web Server Authentication[\s\S]*DNS:tap\.linkerd-viz\.svc/,
    );
    const [subject] = /Subject Key Identifier:\s+(\S+)/.exec(root ?? "")?.slice(1) ?? [];
    expect(intermediate).toMatch(new RegExp(`Authority Key Identifier:\\s+(keyid:)?${subject}`));
  });

  test("have unique positive serial numbers of 16 bytes", () => {
    const serials = Array.from(
      { length: 50 },
      () => new X509Certificate(makeIssuer(names, anchor, start).certificate).serialNumber,
    );
    expect(new Set(serials).size).toBe(50);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test("can expire after 2049, and an issuer never expires later than its anchor", () => {
    const old = makeTrustAnchor({ ...names, anchorValidity: "40y" }, start);
    expect(new X509Certificate(old.certificate).validTo).toContain("2066");
    const short = makeTrustAnchor({ ...names, anchorValidity: "30d" }, start);
    expect(new X509Certificate(makeIssuer(names, short, start).certificate).validTo).toBe(
      new X509Certificate(short.certificate).validTo,
    );
  });

  test("form a chain only to their own anchor, according to openssl", async () => {
    expect(await chains(anchor.certificate, issuer.certificate, leafOf(issuer))).toBe(true);
    expect(await chains(makeTrustAnchor(names, start).certificate, issuer.certificate, leafOf(issuer))).toBe(false);
    expect(await chains(anchor.certificate, issuer.certificate, leafOf(issuer), hours(24 * 366))).toBe(false);
  });

  withProgram("go", "with Go", () => {
    test("form a valid chain, according to Go", async () => {
      const current = new Date();
      const [root, leafName] = [makeTrustAnchor(names, current), "web.ns.serviceaccount.identity.linkerd.cluster.local"];
      const middle = makeIssuer(names, root, current);
      const folder = scratchFolder("go");
      const files = {
        roots: root.certificate,
        issuer: middle.certificate,
        leaf: makeServerCertificate(leafName, names, middle, current).certificate,
        none: "",
      };
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      const verify = await goVerifier();
      await run(verify, ["roots", "issuer", "leaf", leafName], { cwd: folder });
      await expect(run(verify, ["roots", "none", "leaf", leafName], { cwd: folder })).rejects.toThrow("unknown authority");
      await expect(run(verify, ["roots", "issuer", "leaf", "other.example"], { cwd: folder })).rejects.toThrow(
        "not other.example",
      );
      // Go must not accept the webhook CA as a trust anchor.
      writeFileSync(join(folder, "webhook-ca"), makeWebhookCa(names, current).certificate);
      await expect(run(verify, ["webhook-ca", "issuer", "leaf", leafName], { cwd: folder })).rejects.toThrow("unknown authority");
    });
  });
});

withTools(["sops"], "an identity on disk", () => {
  test.each(linkerdReleases.map(({ version }) => version))(
    "%s: every webhook has a certificate, all certificates form valid chains, and the real sops decrypts the Secrets",
    async (version) => {
      const { environment, files } = await started({ linkerd: { version, jaeger: { enabled: true } } });
      const anchors = files.get(publicFile("trust-anchors.crt")) ?? "";
      expect(await chains(anchors, "", files.get(publicFile("issuer.crt")) ?? "")).toBe(true);
      const ca = files.get(publicFile("webhook-ca.crt")) ?? "";
      const public_ = parsePem(files.get(publicFile("webhooks.crt")) ?? "").map((certificate) => certificate.subject);
      expect(public_).toEqual(webhooksOf(environment).map((webhook) => `CN=${serverName(webhook)}`));
      for (const webhook of webhooksOf(environment)) {
        const { code, stdout } = await sopsDecrypt(
          files.get(`overlays/test/identity/${webhook.secret}.sops.yaml`) ?? "",
          testIdentity().clusterKey,
        );
        expect(code).toBe(0);
        const [secret] = objectsIn(stdout);
        expect(secret).toMatchObject({
          kind: "Secret",
          type: "kubernetes.io/tls",
          metadata: { name: webhook.secret, namespace: webhook.namespace },
        });
        const data = secret?.["data"] as Record<string, string>;
        const certificate = new X509Certificate(Buffer.from(data["tls.crt"] ?? "", "base64"));
        expect(certificate.subjectAltName).toBe(`DNS:${serverName(webhook)}`);
        expect(await chains(ca, "", certificate.toString())).toBe(true);
      }
      expect(webhooksOf(environment).length).toBe(version === "stable-2.14.10" || version === "edge-25.4.4" ? 6 : 5);
    },
  );

  /**
   * The DER bytes of a P-256 key before and after its 32 secret bytes, in hexadecimal. There are two formats. PKCS#8
   * (RFC 5958) contains the SEC1 structure without parameters. SEC1 (RFC 5915) has parameters.
   */
  const forms: Readonly<Record<string, { label: string; before: string; after: string }>> = {
    "PKCS#8": {
      label: "PRIVATE KEY",
      before: "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420",
      after: "a144034200",
    },
    SEC1: { label: "EC PRIVATE KEY", before: "30770201010420", after: "a00a06082a8648ce3d030107a144034200" },
  };

  test.each(keyReaders.map(({ secret, writes, reader, source }) => [secret, writes, reader, source] as const))(
    "%s: the key has exactly the bytes of %s, for %s (%s)",
    async (secret, form) => {
      const { files } = await started({ linkerd: { version: "edge-25.4.4", jaeger: { enabled: true } } });
      const { stdout } = await sopsDecrypt(
        files.get(`overlays/test/identity/${secret}.sops.yaml`) ?? "",
        testIdentity().clusterKey,
      );
      const [object] = objectsIn(stdout);
      const { data } = (object ?? {}) as { data?: Record<string, string> };
      const pem = Buffer.from(data?.["tls.key"] ?? "", "base64").toString();
      const { label, before, after } = forms[form] as (typeof forms)[string];
      const lines = pem.split("\n");
      expect([lines[0], ...lines.slice(-2)]).toEqual([`-----BEGIN ${label}-----`, `-----END ${label}-----`, ""]);
      const der = Buffer.from(lines.slice(1, -2).join(""), "base64").toString("hex");
      expect(der.startsWith(before)).toBe(true);
      expect(der.slice(before.length + 64).startsWith(after)).toBe(true);
      expect(keyFormOf(pem)).toBe(form);
      expect(keyReader(secret).accepts).toContain(form);
    },
  );

  test("keyReaders contains every Secret with a key, and each reader accepts the format that meshops writes", () => {
    const contracts = secretContracts(inMemory({ linkerd: { version: "edge-25.4.4", jaeger: { enabled: true } } }).environment);
    const names = contracts.map(({ name }) => name);
    expect(keyReaders.map(({ secret }) => secret).sort()).toEqual(names.sort());
    for (const { accepts, writes } of keyReaders) expect(accepts).toContain(writes);
  });

  test("can be decrypted only by the specified recipients; the cluster's key cannot decrypt the trust anchor's file", async () => {
    const { files } = await started();
    const keys = files.get(publicFile("trust-anchor.sops.yaml")) ?? "";
    const { clusterKey, adminKey } = testIdentity();
    expect((await sopsDecrypt(keys, clusterKey)).code).not.toBe(0);
    expect((await sopsDecrypt(keys, adminKey)).stdout).toContain("EC PRIVATE KEY");
    for (const [path, text] of files)
      if (path.startsWith("overlays/")) expect((await sopsDecrypt(text, clusterKey)).code, path).toBe(0);
  });

  test("contains no private key in plaintext", async () => {
    const { files } = await started();
    // Searches for the PEM header of a key, and for the base64 encoding of its first bytes, in all formats that meshops
    // writes.
    for (const [path, text] of files)
      expect(/PRIVATE KEY|LS0tLS1CRUdJTiBFQyBQUklWQVRF|LS0tLS1CRUdJTiBQUklWQVRF/.test(text), path).toBe(false);
  });
});

describe("trust anchor rotation", () => {
  /** Returns the identity before the rotation, and the identity after each of the three steps. */
  async function steps(): Promise<{ anchors: string; issuer: string; leaf: string }[]> {
    const { environment, files, vault } = await started();
    const out: { anchors: string; issuer: string; leaf: string }[] = [];
    const note = async (): Promise<void> => {
      const secret = await decryptFile(files.get("overlays/test/identity/linkerd-identity-issuer.sops.yaml") ?? "", {
        identities: [testIdentity().clusterKey],
      });
      const data = field(objectsIn(secret)[0], "data") as Record<string, string>;
      const pair = pairOf(
        Buffer.from(data["tls.crt"] ?? "", "base64").toString(),
        Buffer.from(data["tls.key"] ?? "", "base64").toString(),
      );
      if (pair === null) throw new Error("the issuer's key does not match its certificate");
      expect(parsePem(files.get(publicFile("issuer.crt")) ?? "")[0]?.fingerprint256).toBe(
        new X509Certificate(pair.certificate).fingerprint256,
      );
      out.push({ anchors: files.get(publicFile("trust-anchors.crt")) ?? "", issuer: pair.certificate, leaf: leafOf(pair) });
    };
    await note();
    for (const days of [1, 3, 5]) {
      const now = hours(24 * days);
      generate(environment, files);
      for (const [path, text] of (await rotateAnchor(environment, vault(now), now, false)).changes) files.set(path, text);
      await note();
    }
    return out;
  }

  test("keeps all required certificate chains valid in every step, according to openssl", async () => {
    const states = await steps();
    const trust = await Promise.all(
      states.map(({ anchors }) => Promise.all(states.map(({ issuer, leaf }) => chains(anchors, issuer, leaf, hours(24 * 6))))),
    );
    // Row n contains the results for the trust bundle that is used after step n. Column n contains the results for a
    // leaf certificate, signed by the issuer that is used after step n. Step 0 is the identity before the rotation.
    expect(trust).toEqual([
      [true, true, false, false],
      [true, true, true, true],
      [true, true, true, true],
      [false, false, true, true],
    ]);
  });

  test("with the gates between steps, all pods always trust each other; without one of the gates, a pod can distrust another pod", async () => {
    const states = await steps();
    const bundles = states.map(({ anchors }) => anchors);
    const trust = await Promise.all(
      bundles.map((anchors) => Promise.all(states.map(({ issuer, leaf }) => chains(anchors, issuer, leaf, hours(24 * 6))))),
    );
    expect(reachesDistrust(trust, { bundle: true, leaf: true })).toBe(false);
    expect(reachesDistrust(trust, { bundle: false, leaf: true })).toBe(true);
    expect(reachesDistrust(trust, { bundle: true, leaf: false })).toBe(true);
  });

  test("restarts all meshed workloads in every step, because the revision in their pod templates changes", async () => {
    const { environment, files, vault } = await started();
    const revisions: string[] = [];
    const look = (): void => {
      const bundle = generate(environment, files);
      revisions.push(/identity-revision: (\w+)/.exec(bundle.get("overlays/test/dgraph/values.yaml") ?? "")?.[1] ?? "");
    };
    look();
    for (const days of [1, 3, 5]) {
      const now = hours(24 * days);
      generate(environment, files);
      for (const [path, text] of (await rotateAnchor(environment, vault(now), now, false)).changes) files.set(path, text);
      look();
    }
    expect(new Set(revisions).size).toBe(4);
  });

  test("rejects the next step during the day after a step, unless --force is set", async () => {
    const { environment, files, vault } = await started();
    const step = async (now: Date, force: boolean): Promise<string> => {
      generate(environment, files);
      const { changes, done } = await rotateAnchor(environment, vault(now), now, force);
      for (const [path, text] of changes) files.set(path, text);
      return done;
    };
    expect(await step(hours(1), false)).toContain("step 1 of 3");
    await expect(step(hours(24), false)).rejects.toThrow(
      "do not run the next step before 2026-11-25 13:10 UTC. Wait until every meshed pod has restarted and trusts both trust anchors",
    );
    await expect(rotateIssuer(environment, vault(hours(24)), hours(24))).rejects.toThrow(
      "cannot rotate the issuer after step 1 of a trust anchor rotation: step 2 of this rotation creates a new issuer",
    );
    expect(await step(hours(2), true)).toContain("step 2 of 3");
    await expect(step(hours(26), false)).rejects.toThrow("no proxy uses a certificate from the old issuer");
    // After step 2, a user may renew the issuer. meshops then requires a day between this renewal and step 3.
    for (const [path, text] of (await rotateIssuer(environment, vault(hours(20)), hours(20))).changes) files.set(path, text);
    await expect(step(hours(27), false)).rejects.toThrow("2026-11-26 08:10 UTC");
    expect(await step(hours(44.5), false)).toContain("step 3 of 3");
    expect(parsePem(files.get(publicFile("trust-anchors.crt")) ?? "").length).toBe(1);
    expect(await step(hours(45), false)).toContain("step 1 of 3");
  });

  test("rejects the next step until `generate` has written the changes of the previous step", async () => {
    const { environment, files, vault } = await started();
    const step = async (now: Date): Promise<void> => {
      for (const [path, text] of (await rotateAnchor(environment, vault(now), now, true)).changes) files.set(path, text);
    };
    generate(environment, files);
    await step(hours(1));
    await expect(step(hours(2))).rejects.toThrow("It does not contain the changes of the previous step");
    generate(environment, files);
    await step(hours(2));
    await expect(step(hours(3))).rejects.toThrow("It does not contain the changes of the previous step");
    generate(environment, files);
    await step(hours(3));
  });

  test("rejects files that match no step, and keys that match no certificate", async () => {
    const { environment, files, vault } = await started();
    const other = await started();
    const own = files.get(publicFile("trust-anchors.crt")) ?? "";
    const others = other.files.get(publicFile("trust-anchors.crt")) ?? "";
    files.set(publicFile("trust-anchors.crt"), others);
    await expect(rotateAnchor(environment, vault(start), start, true)).rejects.toThrow("do not match each other");
    files.set(publicFile("trust-anchors.crt"), own + others + own);
    await expect(rotateAnchor(environment, vault(start), start, true)).rejects.toThrow("do not match each other");
    files.set(publicFile("trust-anchors.crt"), own);
    files.set(publicFile("trust-anchor.sops.yaml"), other.files.get(publicFile("trust-anchor.sops.yaml")) ?? "");
    await expect(rotateIssuer(environment, vault(start), start)).rejects.toThrow(
      "the private key in trust-anchor.sops.yaml does not belong to a certificate in trust-anchors.crt",
    );
    await expect(rotateWebhooks(environment, vault(start), start)).rejects.toThrow(
      "the private key in trust-anchor.sops.yaml does not belong to a certificate in webhook-ca.crt",
    );
    files.set(
      publicFile("trust-anchor.sops.yaml"),
      await vault(start).encrypt("x", "data: {other: a}", [testIdentity().adminRecipient]),
    );
    await expect(rotateIssuer(environment, vault(start), start)).rejects.toThrow(
      "must contain the keys trust-anchor.key and webhook-ca.key",
    );
  });
});

describe("near expiry", () => {
  test("rotate-issuer reports if the issuer expires together with its anchor, and fails if the anchor has expired", async () => {
    const { environment, vault } = await started({ linkerd: { identity: { anchorValidity: "400d" } } });
    expect((await rotateIssuer(environment, vault(hours(24)), hours(24))).done).toBe(
      "a new issuer is created, signed by the trust anchor that signed the old issuer",
    );
    const { changes, done } = await rotateIssuer(environment, vault(hours(24 * 200)), hours(24 * 200));
    expect(done).toContain("Also rotate the trust anchor: the new issuer expires at the same time as this trust anchor");
    expect(parsePem(changes.get(publicFile("issuer.crt")) ?? "")[0]?.validTo).toContain("Dec 29 12:00:00 2027");
    await expect(rotateIssuer(environment, vault(hours(24 * 401)), hours(24 * 401))).rejects.toThrow(
      "the trust anchor expired on 2027-12-29",
    );
  });

  test("the webhooks' CA is renewed before it expires, and both CAs are trusted until the old CA has expired", async () => {
    const { environment, files, vault } = await started({ linkerd: { identity: { anchorValidity: "400d" } } });
    const before = files.get(publicFile("webhook-ca.crt")) ?? "";
    const take = async (now: Date): Promise<string> => {
      const { changes, done } = await rotateWebhooks(environment, vault(now), now);
      for (const [path, text] of changes) files.set(path, text);
      return done;
    };
    expect(await take(hours(24))).not.toContain("new CA");
    expect(files.get(publicFile("webhook-ca.crt"))).toBe(before);
    expect(await take(hours(24 * 100))).toContain("signed by a new CA");
    const authorities = files.get(publicFile("webhook-ca.crt")) ?? "";
    expect(authorities.endsWith(before)).toBe(true);
    for (const certificate of parsePem(files.get(publicFile("webhooks.crt")) ?? "")) {
      expect(await chains(authorities, "", certificate.toString(), hours(24 * 101))).toBe(true);
      expect(await chains(before, "", certificate.toString(), hours(24 * 101))).toBe(false);
    }
    // webhook-ca.crt contains the new CA, and then the old CA. Further rotations keep the old CA until it has expired.
    // meshops signs with the first CA in the file.
    expect(await take(hours(24 * 110))).not.toContain("new CA");
    expect(files.get(publicFile("webhook-ca.crt"))).toBe(authorities);
    expect(await take(hours(24 * 410))).toContain("signed by a new CA");
    expect(files.get(publicFile("webhook-ca.crt"))).not.toContain(before.trim());
  });

  test("if another tool created the anchor, the issuer copies the ASN.1 string types of its name, so that openssl accepts the chain", async () => {
    const folder = scratchFolder("others");
    const config =
      "[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=pkix\nx509_extensions=ext\n[dn]\nO=Acme\nCN=root.linkerd.cluster.local\n[ext]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=01:02:03:04\n";
    writeFileSync(join(folder, "config"), config);
    await run(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "key",
        "-out",
        "crt",
        "-days",
        "900",
        "-config",
        "config",
      ],
      { cwd: folder },
    );
    const pair = pairOf(readFileSync(join(folder, "crt"), "utf8"), readFileSync(join(folder, "key"), "utf8"));
    if (pair === null) throw new Error("openssl made a key for another certificate");
    const current = new Date();
    const issuer = makeIssuer(names, pair, current);
    expect(
      await chains(
        pair.certificate,
        issuer.certificate,
        makeServerCertificate("a.b", names, issuer, current).certificate,
        current,
      ),
    ).toBe(true);
  });
});

describe("rotation of issuer and webhooks", () => {
  test("does not encrypt new keys to a recipient that was removed from the spec", async () => {
    const colleague = await generateX25519Identity();
    const { clusterRecipient, adminRecipient } = testIdentity();
    const before = await started({
      secrets: { age: [clusterRecipient], admin: [adminRecipient, await identityToRecipient(colleague)] },
    });
    const after = inMemory();
    for (const [path, text] of before.files) after.files.set(path, text);
    const { changes } = await rotateIssuer(after.environment, after.vault(hours(1)), hours(1));
    const secret = changes.get("overlays/test/identity/linkerd-identity-issuer.sops.yaml") ?? "";
    expect((await sopsDecrypt(secret, colleague)).code).not.toBe(0);
    expect((await sopsDecrypt(secret, testIdentity().adminKey)).code).toBe(0);
    expect(secret).not.toContain(
      /ca\.crt: ENC\[[^\]]*/.exec(before.files.get("overlays/test/identity/linkerd-identity-issuer.sops.yaml") ?? "")?.[0],
    );
  });

  test("keeps the anchor, and text that a user added outside of a Secret's data", async () => {
    const { environment, files, vault } = await started();
    const path = "overlays/test/identity/linkerd-identity-issuer.sops.yaml";
    files.set(path, (files.get(path) ?? "").replace("kind: Secret", "# kept\nkind: Secret"));
    const before = new Map(files);
    const { changes } = await rotateIssuer(environment, vault(hours(1)), hours(1));
    expect([...changes.keys()].sort()).toEqual([publicFile("issuer.crt"), path]);
    expect(changes.get(path)).toContain("# kept");
    const issuer = changes.get(publicFile("issuer.crt")) ?? "";
    expect(issuer).not.toBe(before.get(publicFile("issuer.crt")));
    expect(await chains(before.get(publicFile("trust-anchors.crt")) ?? "", "", issuer)).toBe(true);
    // A removed recipient may still have the old data key. Therefore the rotation must encrypt every value again with a
    // new data key, and must encrypt the new data key again for every recipient.
    const old = before.get(path) ?? "";
    for (const [part] of old.matchAll(/ENC\[[^\]]*\]|^ +[A-Za-z0-9+/=]{40,}$/gm))
      expect(changes.get(path)).not.toContain(part.trim());
  });

  test("creates the Secret of a webhook that the previous release did not have", async () => {
    const { files } = await started();
    const upgraded = inMemory({ linkerd: { version: "edge-25.4.4", jaeger: { enabled: true } } });
    for (const [path, text] of files) upgraded.files.set(path, text);
    const { changes } = await rotateWebhooks(upgraded.environment, upgraded.vault(start), start);
    expect([...changes.keys()]).toContain("overlays/test/identity/jaeger-injector-k8s-tls.sops.yaml");
    const ca = files.get(publicFile("webhook-ca.crt")) ?? "";
    for (const certificate of parsePem(changes.get(publicFile("webhooks.crt")) ?? ""))
      expect(await chains(ca, "", certificate.toString())).toBe(true);
  });
});

/** Generates the bundle of an environment, adds its files to `files`, and returns the bundle. */
function generate(environment: Environment, files: Map<string, string>): Bundle {
  const read = (file: string): string => (files.get(publicFile(file)) ?? "").trim();
  const identity = { trustAnchors: read("trust-anchors.crt"), issuer: read("issuer.crt"), webhookCa: read("webhook-ca.crt") };
  const { bundle } = render({ environment, identity });
  for (const [path, text] of bundle) files.set(path, text);
  return bundle;
}

/**
 * State of a pod. `bundle` is the number of the step whose trust bundle the pod has loaded. `leaf` is the number of the
 * step whose issuer signed the pod's certificate.
 */
type Pod = readonly [bundle: number, leaf: number];

/**
 * Simulates the three steps of an anchor rotation. Returns whether three pods can reach a state in which one pod does
 * not trust the certificate of another pod. In every state, any pod may restart, and any pod may renew its certificate.
 * A restarted pod has the trust bundle of the current step, and a certificate from the issuer of this step. A pod that
 * renews its certificate keeps its old trust bundle. The next step of the rotation can start at any time, unless a gate
 * delays the step. The gate after step 1 waits until all pods have started with both anchors. The gate after step 2
 * waits until no pod uses a certificate of the old issuer.
 *
 * @param trust `trust[a][b]` is true if a pod with the trust bundle of step `a` trusts a certificate of step `b`
 * @param gates `bundle`: whether the gate after step 1 is used; `leaf`: whether the gate after step 2 is used
 */
function reachesDistrust(trust: readonly (readonly boolean[])[], gates: { bundle: boolean; leaf: boolean }): boolean {
  const first: [number, Pod[]] = [
    0,
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  ];
  const seen = new Set<string>();
  const open = [first];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [step, pods] = state;
    const id = JSON.stringify(state);
    if (seen.has(id)) continue;
    seen.add(id);
    if (pods.some(([bundle]) => pods.some(([, leaf]) => trust[bundle]?.[leaf] !== true))) return true;
    pods.forEach(([bundle], index) => {
      for (const next of [
        [step, step],
        [bundle, step],
      ] as const)
        open.push([step, pods.map((pod, at) => (at === index ? next : pod))]);
    });
    const closed =
      (step === 1 && gates.bundle && pods.some(([bundle]) => bundle < 1)) ||
      (step === 2 && gates.leaf && pods.some(([, leaf]) => leaf < 2));
    if (step < 3 && !closed) open.push([step + 1, pods]);
  }
  expect(seen.size).toBeGreaterThan(50);
  return false;
}
