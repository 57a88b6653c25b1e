import type { Environment } from "../spec/environment.generated.ts";

type Workloads = Environment["spec"]["workloads"];

/**
 * Returns the old spec with the new names of workloads and sets of pods. If a name changes, the namespace and the selector
 * stay the same. The access of the same pods is compared, and not the names.
 */
export function withNewNames(before: Environment, after: Environment): Environment {
  const names = newNames(before, after);
  const moved: Record<string, Workloads[string]> = {};
  for (const [key, workload] of Object.entries(before.spec.workloads)) {
    if (Object.keys(workload.pods).length === 0) moved[key] = workload;
    for (const [set, pods] of Object.entries(workload.pods)) {
      const renamed = names.get(`${key}/${set}`);
      const [newKey = "", newSet = ""] = (renamed ?? `${key}/${set}`).split("/");
      const known = moved[newKey];
      moved[newKey] = { ...(renamed === undefined ? (known ?? workload) : workload), pods: { ...known?.pods, [newSet]: pods } };
    }
  }
  // Clients refer to a set by its workload and its name.
  const text = [...names].reduce(
    (json, [title, renamed]) => json.replaceAll(JSON.stringify(title), JSON.stringify(renamed)),
    JSON.stringify(moved),
  );
  return { ...before, spec: { ...before.spec, workloads: JSON.parse(text) as Workloads } };
}

/** Returns the new title of each set with another name, by its old title: `<workload>/<set>`. */
function newNames(before: Environment, after: Environment): Map<string, string> {
  const [old, next] = [setsOf(before), setsOf(after)];
  return new Map(
    [...old].flatMap(([title, pods]): [string, string][] => {
      const renamed = next.has(title) ? undefined : [...next].find(([other, same]) => same === pods && !old.has(other));
      return renamed === undefined ? [] : [[title, renamed[0]]];
    }),
  );
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
