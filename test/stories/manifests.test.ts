import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import { toText } from "../../generator/diagnostics/text.ts";
import { parseManifests } from "../../generator/kubernetes/read.ts";
import { manifestRules, review, reviewManifests } from "../../generator/lint/manifests.ts";
import { meshops } from "../support/cli.ts";
import { brief } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Each folder in test/stories/manifests is a story about one rule for Kubernetes manifests. bad.yaml has findings, and
 * good.yaml has no findings. expected.txt is the text output for bad.yaml. To rewrite expected.txt, set UPDATE=1. Then
 * review the Git diff.
 */
const folder = join(projectRoot, "test/stories/manifests");

function judge(file: string, text: string): Diagnostic[] {
  const { objects, diagnostics } = parseManifests(file, text);
  return [...diagnostics, ...review(objects, null)];
}

const read = (story: string, file: string): Diagnostic[] => judge(file, readFileSync(join(folder, story, file), "utf8"));

describe("text output of findings in manifests", () => {
  test.each(readdirSync(folder))("%s", (story) => {
    const text = toText(read(story, "bad.yaml"), pc.createColors(false));
    const expected = join(folder, story, "expected.txt");
    if (process.env["UPDATE"] === "1") writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, "utf8"));
    expect(text).toContain(` ${story}\n`);
    expect(brief(read(story, "good.yaml"))).toEqual([]);
  });

  test("every rule has a story", () => {
    expect(manifestRules.map(({ code }) => code as string).sort()).toEqual(readdirSync(folder).sort());
  });
});

describe("the objects of the blog article", () => {
  // These objects contain two mistakes of the blog article. The NetworkPolicy lists only the ports of the application.
  // The name of the ServiceProfile is not the name of an existing Service.
  const service =
    "apiVersion: v1\nkind: Service\nmetadata: {name: demo-dgraph-alpha, namespace: dgraph}\nspec: {ports: [{port: 9080}]}\n";
  const policy = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dgraph-allow, namespace: dgraph}
spec:
  podSelector: {matchLabels: {app: dgraph}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {}}]
    - from: [{namespaceSelector: {matchLabels: {name: pydgraph-client}}, podSelector: {matchLabels: {linkerd.io/control-plane-ns: linkerd}}}]
      ports: [{port: 8080, protocol: TCP}, {port: 9080, protocol: TCP}]
`;
  const profile =
    "---\napiVersion: linkerd.io/v1alpha2\nkind: ServiceProfile\nmetadata: {name: dgraph-svc.dgraph.svc.cluster.local, namespace: dgraph}\n";

  test("meshops finds both faults", () => {
    expect(judge("article.yaml", service + policy + profile).map(({ code }) => code)).toEqual([
      "network-policy-proxy-port",
      "profile-without-service",
    ]);
  });

  test("the policy is correct for stable-2.14.10, whose proxies connect to the application's ports", () => {
    const { objects } = parseManifests("article.yaml", policy);
    expect(review(objects, "stable-2.14.10")).toEqual([]);
  });
});

describe("existing files", () => {
  const job = (annotation: string): string =>
    `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: n, annotations: {${annotation}}}\nspec: {template: {metadata: {annotations: {linkerd.io/inject: enabled}}, spec: {containers: [{name: c}]}}}\n`;

  test("an annotation with a reason silences a warning, but not an error; a silenced warning is still printed", () => {
    const [finding] = judge("j.yaml", job('rules.meshops.dev/job-injected: "ends by linkerd-await in the image"'));
    expect(finding).toMatchObject({ code: "job-injected", silenced: "ends by linkerd-await in the image" });
    expect(toText([finding as Diagnostic], pc.createColors(false))).toContain("reason: ends by linkerd-await");
    const bad =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {linkerd.io/inject: "yes", rules.meshops.dev/inject-value: "I want it"}}\nspec: {containers: [{name: c}]}\n';
    expect(judge("p.yaml", bad)[0]).toMatchObject({ code: "inject-value", severity: "error" });
    expect(judge("p.yaml", bad)[0]?.silenced).toBeUndefined();
  });

  test("an injected Job has a finding only if its proxy is not a native sidecar", () => {
    const { objects } = parseManifests("j.yaml", job(""));
    expect(review(objects, "edge-26.8.3")).toEqual([]);
    expect(review(objects, "edge-25.10.7").map(({ code }) => code)).toEqual(["job-injected"]);
    const off = job("").replace("inject: enabled", 'inject: enabled, config.linkerd.io/proxy-enable-native-sidecar: "false"');
    expect(review(parseManifests("j.yaml", off).objects, "edge-26.8.3").map(({ code }) => code)).toEqual(["job-injected"]);
  });

  test("meshops checks the items of a List, skips documents that are not manifests, and reports the correct line", () => {
    const list = `replicas: 3\n---\nkind: List\napiVersion: v1\nitems:\n  - ${job("").trim().replaceAll("\n", "\n    ")}\n`;
    expect(brief(judge("list.yaml", list))).toEqual(["list.yaml:9:67 job-injected"]);
  });

  test("a document that is not YAML is reported, and the other documents are checked", () => {
    expect(judge("x.yaml", `a: [\n---\n${job("")}`).map(({ code }) => code)).toContain("yaml-syntax");
    expect(judge("x.yaml", `${job("")}---\na: "\n`).map(({ code }) => code)).toContain("job-injected");
  });

  test("a HelmRelease or an Application hides missing objects only in the namespace into which it installs objects", () => {
    const server = `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, port: 8080}
`;
    const release = (namespace: string): string =>
      `---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: flux-system}\nspec: {targetNamespace: "${namespace}"}\n`;
    const application = (namespace: string): string =>
      `---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\nspec: {destination: {namespace: ${namespace}}}\n`;
    const found = (more: string): string[] => reviewManifests(server + more).map(({ code }) => code);
    for (const other of [release("monitoring"), application("monitoring")]) expect(found(other)).toContain("server-denies-all");
    for (const same of [release("shop"), application("shop"), release("$" + "{namespace}")])
      expect(found(same)).not.toContain("server-denies-all");
  });

  test("meshops does not check patches, and does not report a missing object if a HelmRelease may create the object", () => {
    const patch =
      'apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n, annotations: {config.linkerd.io/opaque-ports: "9080"}}\n';
    expect(judge("patch.yaml", patch)).toEqual([]);
    const server =
      "---\napiVersion: policy.linkerd.io/v1beta3\nkind: Server\nmetadata: {name: s, namespace: n}\nspec: {podSelector: {matchLabels: {a: b}}, port: 1, accessPolicy: audit}\n";
    expect(judge("s.yaml", job("") + server).map(({ code }) => code)).toEqual(["job-injected", "server-selects-nothing"]);
    const release = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: n}\n";
    expect(judge("s.yaml", job("") + server + release).map(({ code }) => code)).toEqual(["job-injected"]);
  });

  test("the files of this repository have no errors", async () => {
    for (const folder of ["overlays/dev", "overlays/production", "flux/dev", "bases"]) {
      const { code, stdout } = await meshops(projectRoot, ["validate", "--manifests", folder]);
      expect([code, stdout.replace(/^.* profile-without-service\n( {2}.*\n)+\n/m, "")]).toEqual([
        0,
        expect.stringMatching(/^[0-9]+ objects? checked/),
      ]);
    }
  });

  test.each([
    [["x", "--manifests", "bases"], "--manifests accepts only one path"],
    [["--linkerd", "edge-26.8.3"], "--linkerd requires --manifests"],
    [["--manifests", "bases", "--linkerd", "edge-1"], "unknown Linkerd release edge-1"],
  ])("validate %j is a usage error", async (args, message) => {
    const { code, stderr } = await meshops(projectRoot, ["validate", ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([
    ["a value", "kind: Pod\nspec: {{ .Values.spec }}\n", "2:7"],
    ["a line", "kind: Pod\n{{- if .Values.on }}\nspec: {}\n{{- end }}\n", "2:1"],
    ["an item", "kind: Pod\nlist:\n  - {{ . }}\n", "3:5"],
  ])("an unrendered template (%s) is one error, and is never read as a map", (_, text, place) => {
    const found = judge("t.yaml", text);
    expect(brief(found)).toEqual([`t.yaml:${place} template-unrendered`]);
    expect(found[0]?.fix).toContain("helm template");
  });

  test("braces in quotes, in block scalars and in ordinary flow maps are not templates", () => {
    expect(judge("t.yaml", "kind: Pod\na: '{{ x }}'\nb: |\n  {{ x }}\nc: {d: {e: 1}}\n")).toEqual([]);
  });

  test("findings never print the lines of a Secret", () => {
    const [finding] = judge("s.yaml", 'kind: Secret\nstringData:\n  password: "Hunter2"Tail\n');
    expect(finding).toMatchObject({ code: "yaml-syntax", excerpt: null });
    expect(JSON.stringify(finding)).not.toMatch(/hunter2|tail/i);
  });

  test("a policy must allow the proxy's port only for peers that have a proxy", () => {
    const pods = (namespace: string, inject: string): string =>
      `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}, annotations: {linkerd.io/inject: ${inject}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ${namespace}, labels: {app: p}}\nspec: {containers: [{name: c}]}\n`;
    const policy =
      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}], ports: [{port: 9090}]}]}\n";
    const found = (inject: string | null): string[] =>
      judge("p.yaml", pods("shop", "enabled") + (inject === null ? "" : pods("other", inject)) + policy).map(
        ({ code, severity }) => `${code} ${severity}`,
      );
    expect(found("disabled")).toEqual([]);
    expect(found("enabled")).toEqual(["network-policy-proxy-port error"]);
    expect(found(null)).toEqual(["network-policy-proxy-port warning"]);
  });

  test.each([
    ["nesting", "[".repeat(100_000)],
    [
      "an alias bomb",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n`,
    ],
    [
      "odd types",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, annotations: [1]}\nspec: {template: {spec: {containers: 7}}}\n",
    ],
  ])("%s does not crash", (_, text) => {
    expect(Array.isArray(judge("odd.yaml", text))).toBe(true);
  });
});

describe("manifests without any sign of Linkerd", () => {
  const policies = ["web", "cart"]
    .map(
      (app) =>
        `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${app}, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: ${app}}}\n  ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]\n`,
    )
    .join("---\n");

  test("have one finding about all NetworkPolicies", () => {
    const found = judge("policies.yaml", policies);
    expect(found.map(({ code }) => code)).toEqual(["network-policy-proxy-port"]);
    expect(found[0]?.message).toContain("2 rules of NetworkPolicies do not allow port 4143");
  });

  test("have no findings with --linkerd none", async () => {
    const { code, stdout } = await meshops(projectRoot, ["validate", "--manifests", "-", "--linkerd", "none"], {
      input: policies,
    });
    expect(code).toBe(0);
    expect(stdout).toBe("2 objects checked, all valid; rules about Linkerd were not checked (--linkerd none)\n");
  });
});
