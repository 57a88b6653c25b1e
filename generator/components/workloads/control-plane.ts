import type { Need } from "../component.ts";

/**
 * Dependency on the control plane. The control plane runs the webhooks that validate policies and routes. It also runs
 * the proxy injector, which adds proxies to pods.
 */
export const controlPlane: Need = { component: "linkerd-control-plane" };
