import type { Environment } from "../spec/environment.generated.ts";

type Workloads = Environment["spec"]["workloads"];

/**
 * Returns a copy of the old spec in which renamed workloads and renamed sets of pods have their new names. A set of
 * pods is renamed if the new spec contains a set with another name, but with the same namespace and the same selector.
 * With this copy, meshops compares the access of the same pods before and after the change.
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
  // Lists of clients refer to a set of pods by the title of the set, so the titles in these lists are also replaced.
  const text = [...names].reduce(
    (json, [title, renamed]) => json.replaceAll(JSON.stringify(title), JSON.stringify(renamed)),
    JSON.stringify(moved),
  );
  return { ...before, spec: { ...before.spec, workloads: JSON.parse(text) as Workloads } };
}

/**
 * Returns a map from the old title to the new title of each renamed set of pods. A title has the form
 * `<workload>/<set>`.
 */
function newNames(before: Environment, after: Environment): Map<string, string> {
  const [old, next] = [setsOf(before), setsOf(after)];
  return new Map(
    [...old].flatMap(([title, pods]): [string, string][] => {
      const renamed = next.has(title) ? undefined : [...next].find(([other, same]) => same === pods && !old.has(other));
      return renamed === undefined ? [] : [[title, renamed[0]]];
    }),
  );
}

/** Returns a map from the title `<workload>/<set>` of each set of pods to its namespace and selector, as JSON text. */
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
