import type { Path } from "../../diagnostics/source.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity, installsLinkerd } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rule for fields of `spec.linkerd` that have no effect. */
export const unusedSettings: Rule = {
  code: "linkerd-setting-unused",
  severity: "warning",
  title: "A setting of Linkerd or of its certificates has no effect",
  why:
    "With `linkerd.lifecycle: existing`, another tool installs Linkerd, so meshops ignores the settings for the installation. With `linkerd.identity.provider: external`, another program issues the certificates, " +
    "so meshops ignores the settings for issuing certificates. `linkerd.identity.trustAnchors` and `linkerd.identity.webhooks` have an effect only with `linkerd.identity.provider: external`.",
  fix: "Remove the setting. If another tool installs Linkerd or issues the certificates, configure that tool.",
  check: settingsWithoutEffect,
};

type Linkerd = Environment["spec"]["linkerd"];

/**
 * Settings that have an effect only if meshops installs Linkerd. Each entry contains the path of the setting below
 * `spec.linkerd`, and a function that returns whether the setting differs from its default.
 */
const ofInstallation: readonly (readonly [path: Path, isSet: (linkerd: Linkerd) => boolean])[] = [
  [["highAvailability"], ({ highAvailability }) => highAvailability],
  [["controlPlane"], ({ controlPlane }) => Object.keys(controlPlane).length > 0],
  [["imagePullSecrets"], ({ imagePullSecrets }) => imagePullSecrets !== undefined],
  [["webhookFailurePolicy"], ({ webhookFailurePolicy }) => webhookFailurePolicy !== "auto"],
  [["viz", "grafana"], ({ viz }) => viz.grafana],
];

/** Settings that have an effect only with external certificates. */
const ofExternal: typeof ofInstallation = [
  [["identity", "trustAnchors"], ({ identity }) => identity.trustAnchors !== undefined],
  [["identity", "webhooks"], ({ identity }) => identity.webhooks !== "external"],
];

/** Settings that have an effect only if meshops issues the certificates. */
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
    [installs ? "linkerd.identity.provider is sops" : "another tool installs Linkerd", external && installs ? [] : ofExternal],
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
