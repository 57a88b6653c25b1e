import { isDelivered, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { generated } from "./overrides.ts";

/** Rules about the Helm releases of workloads. */
export const releaseRules: readonly Rule[] = [
  {
    code: "release-name-taken",
    severity: "error",
    title: "Two Helm releases have the same name",
    why: "The name of a Helm release is unique in its namespace. With the same name, Helm would replace the objects of one chart with those of the other.",
    fix: "Set another `releaseName` in the source of the workload.",
    check: takenReleases,
  },
];

function* takenReleases(environment: Environment): Iterable<RuleFinding> {
  const { workloads } = environment.spec;
  if (!Object.values(workloads).some(({ source }) => source?.chart !== undefined || source?.oci !== undefined)) return;
  const owners = new Map<string, string>();
  const components = generated(environment).filter((component) => isDelivered(component) && component.id !== "namespaces");
  // Charts come last, because their release names can be changed.
  for (const component of [...components].sort((a, b) => Number(releaseOf(a) !== null) - Number(releaseOf(b) !== null))) {
    // helmfile installs a component without a chart as a release with the name of its Kustomization.
    const name = releaseOf(component)?.name ?? fluxName(component.id);
    const release = `${component.namespace}/${name}`;
    const owner = owners.get(release);
    owners.set(release, owner ?? component.id);
    const [, key] = component.id.split("/");
    if (owner === undefined || key === undefined) continue;
    const kind = workloads[key]?.source?.chart === undefined ? "oci" : "chart";
    yield {
      paths: [spec("workloads", key, "source")],
      message: `the Helm release ${release} already belongs to ${owner}`,
      fix: `set source.${kind}.releaseName: ${name === key ? `${key}-2` : key}`,
    };
  }
}
