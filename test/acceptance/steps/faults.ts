import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { secretNames } from "../../../generator/catalog/well-known.ts";
import { dgraphName } from "../../../generator/components/dgraph/names.ts";
import { ageIdentities } from "../../../generator/identity/age-keys.ts";
import { makeIssuer, pairOf, privateKeyPem } from "../../../generator/identity/authority.ts";
import { decryptFile } from "../../../generator/sops/file.ts";
import { certificateFiles, identityFolder, signingKeysFile } from "../../../generator/spec/layout.ts";
import type { ClusterObject } from "../record.ts";
import type { Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";
import { verified, withoutClientImage } from "./install.ts";

interface Fault {
  readonly id: string;
  readonly title: string;
  /** Kind of the objects that the fault changes or deletes. */
  readonly kind: string;
  /**
   * Returns the namespace and the names of the objects that the fault changes or deletes. `all` means all objects of
   * the kind.
   */
  readonly objects: (story: Story) => { readonly namespace: string; readonly names: readonly string[] | "all" };
  /** Returns the changed object; null if the fault is the deletion of the object. */
  readonly change: (object: ClusterObject, story: Story) => Promise<ClusterObject | null>;
  /** Tests of `meshops verify` that the step runs, in the format of the option `--only`. */
  readonly only: string;
  /**
   * Tests that must fail because of the fault. The key is the id of the test. The value is a pattern that the cause
   * from `meshops verify` must match.
   */
  readonly expected: Readonly<Record<string, RegExp>>;
  /** Whether the tests start probes. Probes need the image of the test client. */
  readonly probes: boolean;
}

const policies = "policy.linkerd.io";
const ofAlpha = (story: Story): { namespace: string; names: string[] } => ({
  namespace: story.environment.spec.dgraph.namespace,
  names: ["http", "grpc"].map((port) => dgraphName(story.environment, `alpha-${port}`)),
});
const spec = (object: ClusterObject, change: object): ClusterObject => ({
  ...object,
  spec: { ...(object["spec"] as object), ...change },
});

const faults: readonly Fault[] = [
  {
    id: "policy-without-4143",
    title: "a NetworkPolicy that allows the ports of Dgraph but not port 4143 of its proxies",
    kind: "networkpolicies.networking.k8s.io",
    objects: (story) => ({ ...ofAlpha(story), names: [dgraphName(story.environment, "alpha")] }),
    change: async (object) => {
      const from = [{ namespaceSelector: {} }];
      return spec(object, { ingress: [{ from, ports: [8080, 9080].map((port) => ({ port, protocol: "TCP" })) }] });
    },
    only: "T2a",
    expected: { T2a: /4143/ },
    probes: true,
  },
  {
    id: "client-not-listed",
    title: "a client that the MeshTLSAuthentications do not list",
    kind: `meshtlsauthentications.${policies}`,
    objects: ofAlpha,
    change: async (object) => {
      const other = { kind: "ServiceAccount", name: "other", namespace: "elsewhere" };
      return spec(object, { identityRefs: [other] });
    },
    only: "T2a",
    expected: { T2a: /the AuthorizationPolicy of port 8080 lists other\.elsewhere, but not/ },
    probes: true,
  },
  {
    id: "all-clients-authorized",
    title: "MeshTLSAuthentications that list every meshed client",
    kind: `meshtlsauthentications.${policies}`,
    objects: ofAlpha,
    change: async (object) => spec(object, { identityRefs: undefined, identities: ["*"] }),
    only: "T2b",
    expected: { T2b: /AuthorizationPolicy .* allows all clients on port/ },
    probes: true,
  },
  {
    id: "server-deleted",
    title: "the Servers of Alpha's ports are deleted",
    kind: `servers.${policies}`,
    objects: (story) => ({ ...ofAlpha(story), names: "all" }),
    change: async () => null,
    only: "T2b",
    expected: { T2b: /no Server selects port/ },
    probes: true,
  },
  {
    id: "issuer-expired",
    title: "an issuer certificate that has expired",
    kind: "secrets",
    objects: () => ({ namespace: "linkerd", names: [secretNames.issuer] }),
    change: async (secret, story) => withData(secret, await expiredIssuer(story)),
    only: "M3",
    expected: { M3: /expired|rotate-issuer/ },
    probes: false,
  },
  {
    id: "webhook-key-form",
    title: "a key of the policy validator in SEC1 form, which the policy controller cannot read",
    kind: "secrets",
    objects: () => ({ namespace: "linkerd", names: [secretNames.policyValidator] }),
    change: async (secret) => {
      const pem = Buffer.from((secret["data"] as Record<string, string>)["tls.key"] ?? "", "base64").toString();
      return withData(secret, { "tls.key": createPrivateKey(pem).export({ type: "sec1", format: "pem" }).toString() });
    },
    only: "M4",
    expected: { M4: /SEC1|rotate-webhooks/ },
    probes: false,
  },
];

function withData(secret: ClusterObject, files: Readonly<Record<string, string>>): ClusterObject {
  const encoded = Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]);
  return { ...secret, data: { ...(secret["data"] as object), ...Object.fromEntries(encoded) } };
}

/**
 * Returns an expired issuer certificate and its key. The trust anchor has signed the certificate. Writes no key to a
 * file.
 */
async function expiredIssuer(story: Story): Promise<Record<string, string>> {
  const { root, environment } = story;
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const identities = await ageIdentities(story.env);
  const plain = await decryptFile(read(signingKeysFile(environmentName)), { identities });
  const { data } = parse(plain) as { data: Record<string, string> };
  const anchor = pairOf(
    read(join(identityFolder(environmentName), certificateFiles.trustAnchors)),
    data["trust-anchor.key"] ?? "",
  );
  if (anchor === null) throw new Error("the key of the trust anchor does not belong to its certificate");
  const past = new Date(Date.now() - 20 * 365 * 86_400_000);
  const issuer = makeIssuer(environment.spec.linkerd.identity, anchor, past);
  return { "tls.crt": issuer.certificate, "tls.key": privateKeyPem(issuer) };
}

function stepOf(fault: Fault): Step {
  return {
    id: fault.id,
    title: `fault: ${fault.title}`,
    after: ["first-sync"],
    ...(fault.probes ? { missing: withoutClientImage } : {}),
    async run(story) {
      const { namespace, names } = fault.objects(story);
      const objects = (await story.kubectl.list(fault.kind)).filter(
        ({ metadata }) => metadata.namespace === namespace && (names === "all" || names.includes(metadata.name)),
      );
      if (objects.length === 0) throw new Error(`namespace ${namespace} has no ${fault.kind} ${String(names)}`);
      const changes = await Promise.all(objects.map((object) => fault.change(object, story)));
      const found = await story.planted(objects, changes, () => verified(story, "--only", fault.only));
      for (const [id, pattern] of Object.entries(fault.expected)) {
        const { status = "missing", cause = "" } = found[id] ?? {};
        if (status !== "failed" || !pattern.test(cause))
          throw new Error(`test ${id} must fail, and its cause must match ${pattern}. Status: ${status}. Cause: ${cause}`);
      }
      await story.ready();
      return Object.keys(fault.expected).map((id) => [id, found[id]?.cause ?? ""] as const);
    },
  };
}

/** One step per fault. The step changes the objects, checks that `meshops verify` fails, and restores the objects. */
export const faultSteps: readonly Step[] = faults.map(stepOf);
