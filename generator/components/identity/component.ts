import type { ComponentProvider } from "../component.ts";
import { identityChanges } from "./change-rules.ts";
import { identityRules } from "./rules.ts";

/** Components for the certificates of the mesh. The identity provider of the environment returns these components. */
export const identity: ComponentProvider = {
  partOfLinkerd: ["identity"],
  rules: identityRules,
  changeRules: [identityChanges],
  components: (context) => context.identity.components(),
};
