import type { Path } from "../../diagnostics/source.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity, installsLinkerd } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rule for fields of `spec.linkerd` that nothing reads. */
export const unusedSettings: Rule = {
  code: "linkerd-setting-unused",
  severity: "warning",
  title: "A setting has no effect, because it concerns something that meshops does not install or issue",
  why:
    "With `linkerd.lifecycle: existing`, another tool installs Linkerd. With `linkerd.identity.provider: external`, another program issues the certificates. " +
    "meshops then generates nothing from the settings of these parts. `trustAnchors` and `webhooks` are settings for external certificates.",
  fix: "Remove the setting, and configure the tool that installs this part.",
  check: settingsWithoutEffect,
};

type Linkerd = Environment["spec"]["linkerd"];

/** Settings of what meshops installs: path below `spec.linkerd`, and whether the setting differs from its default. */
const ofInstallation: readonly (readonly [path: Path, isSet: (linkerd: Linkerd) => boolean])[] = [
  [["highAvailability"], ({ highAvailability }) => highAvailability],
  [["controlPlane"], ({ controlPlane }) => Object.keys(controlPlane).length > 0],
  [["imagePullSecrets"], ({ imagePullSecrets }) => imagePullSecrets !== undefined],
  [["webhookFailurePolicy"], ({ webhookFailurePolicy }) => webhookFailurePolicy !== "auto"],
  [["viz", "grafana"], ({ viz }) => viz.grafana],
];

/** Settings of external certificates. */
const ofExternal: typeof ofInstallation = [
  [["identity", "trustAnchors"], ({ identity }) => identity.trustAnchors !== undefined],
  [["identity", "webhooks"], ({ identity }) => identity.webhooks !== "external"],
];

/** Settings of certificates that meshops issues. */
const ofIssuing: typeof ofInstallation = [
  [["identity", "anchorValidity"], ({ identity }) => identity.anchorValidity !== "10y"],
  [["identity", "issuerValidity"], ({ identity }) => identity.issuerValidity !== "1y"],
  [["identity", "webhookValidity"], ({ identity }) => identity.webhookValidity !== "1y"],
];

function* settingsWithoutEffect(environment: Environment): Iterable<RuleFinding> {
  const { linkerd } = environment.spec;
  const installs = installsLinkerd(environment);
  const external = hasExternalIdentity(environment);
  const groups: readonly (readonly [reason: string, settings: typeof ofInstallation])[] = [
    ["another tool installs Linkerd", installs ? [] : ofInstallation],
    [
      installs ? "the provider of the certificates is sops" : "another tool installs Linkerd",
      external && installs ? [] : ofExternal,
    ],
    ["another program issues the certificates", external ? ofIssuing : []],
  ];
  for (const [reason, settings] of groups)
    for (const [path, isSet] of settings)
      if (isSet(linkerd))
        yield {
          paths: [spec("linkerd", ...path)],
          part: "key",
          message: `linkerd.${path.join(".")} has no effect: ${reason}`,
          fix: `remove linkerd.${path.join(".")}`,
        };
}
