import type { Environment } from "../spec/environment.generated.ts";

/**
 * Returns the old spec with the new names of workloads and sets of pods. If a name changes, the namespace and the selector
 * stay the same. The access of the same pods is compared, and not the names.
 */
export function withNewNames(before: Environment, after: Environment): Environment {
  const [old, next] = [before, after].map((spec) => setsOf(spec)) as [Map<string, string>, Map<string, string>];
  let text = JSON.stringify(before.spec.workloads);
  let workloads = JSON.parse(text) as Environment["spec"]["workloads"];
  for (const [title, pods] of old) {
    if (next.has(title)) continue;
    const [renamed] = [...next].find(([other, same]) => same === pods && !old.has(other)) ?? [];
    if (renamed === undefined) continue;
    const [[key = "", set = ""], [newKey = "", newSet = ""]] = [title.split("/"), renamed.split("/")];
    const own = workloads[key]?.pods[set];
    if (own === undefined) continue;
    const { [set]: _, ...others } = workloads[key]?.pods ?? {};
    const moved = { ...workloads[key], pods: { ...(newKey === key ? others : {}), ...workloads[newKey]?.pods, [newSet]: own } };
    const { [key]: __, ...rest } = workloads;
    workloads = { ...rest, ...(newKey === key ? {} : leftOf(workloads, key, others)), [newKey]: moved } as typeof workloads;
    // Clients refer to a set by its workload and its name.
    text = JSON.stringify(workloads).replaceAll(JSON.stringify(title), JSON.stringify(renamed));
    workloads = JSON.parse(text) as typeof workloads;
  }
  return { ...before, spec: { ...before.spec, workloads } };
}

/** Returns the rest of a workload from which a set was moved; nothing if no set is left. */
function leftOf(
  workloads: Environment["spec"]["workloads"],
  key: string,
  pods: Environment["spec"]["workloads"][string]["pods"],
): Environment["spec"]["workloads"] {
  const workload = workloads[key];
  return workload === undefined || Object.keys(pods).length === 0 ? {} : { [key]: { ...workload, pods } };
}

/** Returns the namespace and the selector of each set of pods, by `<workload>/<set>`. */
function setsOf({ spec: { workloads } }: Environment): Map<string, string> {
  return new Map(
    Object.entries(workloads).flatMap(([key, { namespace, pods }]) =>
      Object.entries(pods).map(([set, { selector }]): [string, string] => [
        `${key}/${set}`,
        JSON.stringify([namespace, selector.matchLabels ?? {}, selector.matchExpressions ?? []]),
      ]),
    ),
  );
}
