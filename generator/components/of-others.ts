import { installsLinkerd } from "../spec/ownership.ts";
import type { Component, ModelContext } from "./component.ts";

/**
 * Returns a component of Linkerd for an environment. If meshops installs Linkerd, returns the component unchanged. If
 * another tool installs Linkerd, returns a component that meshops does not deliver, but that `meshops status` and
 * `meshops verify` check.
 */
export function ofLinkerd({ environment }: Pick<ModelContext, "environment">, component: Component): Component {
  return installsLinkerd(environment) ? component : ofOthers(component);
}

function ofOthers({ id, group, build }: Component): Component {
  return {
    id,
    group,
    needs: [],
    build: (context) => {
      const { namespace, checks = [] } = build(context);
      return { namespace, checks, delivery: { kind: "none", podsIn: namespace } };
    },
  };
}
