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
    why: "In a namespace, each Helm release must have a unique name. If two releases have the same name, Helm replaces the objects of one chart with the objects of the other chart.",
    fix: "Set a different release name in `source.chart.releaseName` or `source.oci.releaseName` of the workload.",
    check: takenReleases,
  },
];

function* takenReleases(environment: Environment): Iterable<RuleFinding> {
  const { workloads } = environment.spec;
  if (!Object.values(workloads).some(({ source }) => source?.chart !== undefined || source?.oci !== undefined)) return;
  const owners = new Map<string, string>();
  const components = generated(environment).filter((component) => isDelivered(component) && component.id !== "namespaces");
  // Check components with charts last. If two releases have the same name, the finding is about the component that is
  // checked later. A user can change the name of a release only if the component has a chart.
  for (const component of [...components].sort((a, b) => Number(releaseOf(a) !== null) - Number(releaseOf(b) !== null))) {
    // helmfile installs a component without a chart as a release with the name that `fluxName` returns.
    const name = releaseOf(component)?.name ?? fluxName(component.id);
    const release = `${component.namespace}/${name}`;
    const owner = owners.get(release);
    owners.set(release, owner ?? component.id);
    const [, key] = component.id.split("/");
    if (owner === undefined || key === undefined) continue;
    const kind = workloads[key]?.source?.chart === undefined ? "oci" : "chart";
    yield {
      paths: [spec("workloads", key, "source")],
      message: `the component ${owner} already uses the Helm release name ${name} in the namespace ${component.namespace}`,
      fix: `set source.${kind}.releaseName: ${name === key ? `${key}-2` : key}`,
    };
  }
}
