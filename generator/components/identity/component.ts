import type { ComponentProvider } from "../component.ts";
import { identityRules } from "./rules.ts";

/** The mesh's identity, delivered by the environment's identity provider. */
export const identity: ComponentProvider = {
  rules: identityRules,
  components: (context) => context.identity.components(),
};
