import { installsLinkerd } from "../spec/ownership.ts";
import type { Component, Context } from "./component.ts";

/**
 * Returns the component of Linkerd for an environment. If another tool installs Linkerd, `meshops status` and `meshops
 * verify` check the component, but meshops does not deliver the component.
 */
export function ofLinkerd({ environment }: Pick<Context, "environment">, component: Component): Component {
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
