import type { ChangeRule } from "../change-rule.ts";
import { dgraphPods } from "../dgraph/pods.ts";
import { newProxyPorts } from "../new-proxy-ports.ts";

/** Assesses an upgrade of Linkerd after which proxies connect to another port of Dgraph. */
export const policyChanges: ChangeRule = {
  *assess(changed, changes) {
    const { after } = changes.specs;
    const pods = after === null || !after.spec.dgraph.enabled ? [] : dgraphPods(after);
    if (!pods.some(({ name, namespace }) => name === changed.name && namespace === changed.namespace)) return;
    const field = "dgraph.networkPolicy";
    yield* newProxyPorts(changed, changes, { title: "Dgraph", off: `${field}: false`, on: `${field}: true` });
  },
};
