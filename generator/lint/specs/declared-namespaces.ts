import { linkerdRelease } from "../../catalog/linkerd.ts";
import { proxyPrefix } from "../../catalog/well-known.ts";
import { modelOf } from "../../components/build.ts";
import type { Path } from "../../diagnostics/source.ts";
import { meshAnnotations } from "../../mesh/namespace-settings.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { isReserved } from "./namespaces.ts";
import { settingFindings } from "./proxy-settings.ts";

/** Rules about `spec.namespaces`. */
export const declaredNamespaceRules: readonly Rule[] = [
  {
    code: "namespace-setting",
    severity: "error",
    title: "A namespace has a setting or a value that Linkerd does not support",
    why: "meshops writes `spec.namespaces.<namespace>.mesh` as annotations of the namespace. Linkerd ignores an annotation with an unknown name. If Linkerd cannot parse a value, Linkerd uses the default value instead. The default value often protects less than the intended value. Example: if the value of `config.linkerd.io/default-inbound-policy` is unknown, all clients are admitted (linkerd2, pkg/inject/inject.go, pkg/util/parsing.go).",
    fix: "Use a setting and a value from [docs/annotations.md](../annotations.md).",
    check: settings,
  },
  {
    code: "namespace-conflict",
    severity: "error",
    title: "`spec.namespaces` conflicts with a namespace of the platform or of a component",
    why: "meshops sets the labels and annotations of Linkerd's namespaces and of the namespaces of components. Kubernetes, AKS and Flux manage their own namespaces. If `spec.namespaces` sets different values for one of these namespaces, the values conflict. Your values are then overwritten, or the program in the namespace can fail.",
    fix: "Remove the namespace from `spec.namespaces`. As an alternative, remove only the settings whose values differ from the values that meshops sets.",
    check: conflicts,
  },
];

function* settings(environment: Environment): Iterable<RuleFinding> {
  const release = linkerdRelease(environment.spec.linkerd.version);
  if (environment.spec.linkerd.defaultInboundPolicy === "audit" && release.channel === "stable")
    yield {
      paths: [spec("linkerd", "defaultInboundPolicy")],
      message: `Linkerd ${release.version} does not support "audit" as the default inbound policy`,
      fix: "remove this setting",
    };
  for (const [name, declared] of Object.entries(environment.spec.namespaces)) {
    const mesh = (key: string): Path => {
      const short = key.slice(proxyPrefix.length);
      const field = short in declared.mesh.proxy ? ["proxy", short] : ["defaultInboundPolicy"];
      return spec("namespaces", name, "mesh", ...field);
    };
    yield* settingFindings(meshAnnotations(declared), mesh, "namespace", environment);
  }
}

function* conflicts(environment: Environment): Iterable<RuleFinding> {
  const declared = Object.entries(environment.spec.namespaces);
  if (declared.length === 0) return;
  // Build the model without workloads. In a namespace that meshops creates for a workload, the labels in
  // `spec.namespaces` take precedence, so these labels cause no conflict.
  const others = modelOf({ ...environment, spec: { ...environment.spec, namespaces: {}, workloads: {} } }).components.flatMap(
    ({ namespaces }) => namespaces,
  );
  for (const [name, own] of declared) {
    const path = spec("namespaces", name);
    if (isReserved(name)) {
      const message = `the namespace ${name} is reserved for Kubernetes, AKS, Flux or the mesh`;
      yield { paths: [path], part: "key", message, fix: `remove namespaces.${name}` };
      continue;
    }
    const generated = others.filter((each) => each.name === name);
    if (generated.length === 0) continue;
    const values = { ...own.labels, ...meshAnnotations(own) };
    const theirs = Object.assign({}, ...generated.flatMap(({ labels, annotations = {} }) => [labels, annotations]));
    const differing = Object.keys(values).filter((key) => key in theirs && theirs[key] !== values[key]);
    const reason = own.create
      ? differing.map((key) => `the component sets ${key} to ${theirs[key]}`).join(", ")
      : "create is false in spec.namespaces";
    if (reason !== "")
      yield {
        paths: [path],
        part: "key",
        message: `spec.namespaces conflicts with the component that creates the namespace ${name}: ${reason}`,
        fix: `remove namespaces.${name}`,
      };
  }
}
