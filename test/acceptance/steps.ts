import type { Step } from "./step.ts";
import { drift, releaseDrift } from "./steps/drift.ts";
import { faultSteps } from "./steps/faults.ts";
import { firstSync, verify } from "./steps/install.ts";
import { internalPorts, policyOffAndOn } from "./steps/policies.ts";
import { preflight } from "./steps/preflight.ts";
import { identity, scaffold } from "./steps/repository.ts";
import { rotateAnchor, rotateIssuer, rotateWebhooks } from "./steps/rotations.ts";
import { teardown } from "./steps/teardown.ts";
import { upgrade } from "./steps/upgrade.ts";

/** All steps of the acceptance run, in their order. */
export const steps: readonly Step[] = [
  preflight,
  scaffold,
  identity,
  firstSync,
  verify,
  drift,
  releaseDrift,
  policyOffAndOn,
  ...faultSteps,
  internalPorts,
  rotateWebhooks,
  rotateIssuer,
  rotateAnchor,
  upgrade,
  teardown,
];
