import type { Need } from "../component.ts";

/**
 * Policies and routes need the control plane, because it runs the webhooks that validate them. Pods need it, because its
 * proxy injector adds their proxies.
 */
export const controlPlane: Need = { component: "linkerd-control-plane" };
