import type { Rule } from "../../spec/rule.ts";
import { clientRules } from "./client-rules.ts";
import { deliveryRules } from "./delivery-rules.ts";
import { podRules } from "./pod-rules.ts";
import { routeRules } from "./route-rules.ts";

/** Rules about `spec.workloads`. */
export const workloadRules: readonly Rule[] = [...deliveryRules, ...clientRules, ...podRules, ...routeRules];
