import type { ComponentProvider } from "../component.ts";
import { identityRules } from "./rules.ts";

/** The mesh's identity, as the environment's provider delivers it. */
export const identity: ComponentProvider = {
  rules: identityRules,
  components: (context) => context.identity.components(),
};
