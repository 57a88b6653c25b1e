import type { ChangeRule } from "../change-rule.ts";
import { newProxyPorts } from "../new-proxy-ports.ts";
import { declaredPods } from "./entries.ts";

/** Assesses an upgrade of Linkerd after which proxies connect to another port of the pods of a workload. */
export const workloadChanges: ChangeRule = {
  *assess(changed, changes) {
    const { after } = changes.specs;
    const entry = (after === null ? [] : declaredPods(after)).find(
      ({ pods }) => pods.name === changed.name && pods.namespace === changed.namespace,
    );
    if (entry === undefined) return;
    const field = `workloads.${entry.name.replace("/", ".pods.")}.access.mode`;
    yield* newProxyPorts(changed, changes, {
      title: entry.name,
      off: `${field}: off`,
      on: `${field}: ${entry.pods.access.mode}`,
    });
  },
};
