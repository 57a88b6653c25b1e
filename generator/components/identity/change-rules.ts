import { committedIdentity } from "../../catalog/well-known.ts";
import { type Certificate, certificatesIn, fingerprint, signerOf } from "../../identity/pem.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { certificateFiles, identityFolder } from "../../spec/layout.ts";
import {
  type Assessment,
  type ChangedObject,
  type ChangeRule,
  type ChangeSet,
  type FieldChange,
  push,
  type Step,
} from "../change-rule.ts";
import { notRestarted } from "../pod-template.ts";
import { injectsCa } from "./external.ts";

/** Assesses changes of trust anchors, the issuer, and the certificates of webhooks. */
export const identityChanges: ChangeRule = { assess: identityRisks };

function* identityRisks(changed: ChangedObject, all: ChangeSet): Iterable<Assessment> {
  const { kind, name, fields, change } = changed;
  if (change === "removed" && kind === "ConfigMap" && name === committedIdentity.name)
    yield {
      risk: "trust-anchor",
      reason:
        "Flux deletes the ConfigMap with the public certificates of the environment. Only meshops reads this ConfigMap. To keep the ConfigMap, suspend its Kustomization before you push",
    };
  if (change !== "changed") return;
  const { after } = all.specs;
  const isInjected = after !== null && injectsCa(after);
  for (const field of fields) {
    const key = field.path.split(/[."]+/).filter(Boolean).slice(-2).join(".");
    if (
      field.path.startsWith("spec.valuesFrom") &&
      JSON.stringify([field.before, field.after]).includes("identityTrustAnchorsPEM")
    )
      yield {
        risk: "trust-anchor",
        reason: "Linkerd's chart reads the trust anchors from another Secret, which can contain other trust anchors",
        prerequisites: [
          {
            phase: "before",
            text: "Before you push, create the Secret of trustAnchors.secretRef in namespace linkerd. If the Secret is missing, Flux cannot upgrade the HelmRelease. The chart now writes the ConfigMap linkerd-identity-trust-roots. If another program writes this ConfigMap, stop that program.",
            command: "kubectl get secrets --namespace linkerd",
          },
        ],
      };
    if (field.path.endsWith("identityTrustAnchorsPEM") || (kind === "ConfigMap" && key === certificateFiles.trustAnchors))
      yield ofAnchors(field, all);
    else if (kind === "ConfigMap" && key === certificateFiles.issuer) yield ofIssuer(changed, all.environment);
    else if (field.path.endsWith("caBundle") && field.after === undefined && isInjected) yield withoutCa(name);
    else if (field.path.endsWith("caBundle") || (kind === "ConfigMap" && key === certificateFiles.webhookCa))
      yield {
        risk: "webhook-policy",
        reason: `the CAs of the webhooks${kind === "ConfigMap" ? "" : ` of ${name}`} change. The API server can call a webhook only if one of the new CAs signed the certificate of the webhook. Change the certificates of the webhooks in the same commit`,
      };
  }
}

/**
 * Assesses a HelmRelease that no longer contains the CA of a webhook, because cert-manager's CA injector now sets this
 * CA (linkerd2 charts, proxy-injector-rbac.yaml, `injectCaFrom`).
 */
function withoutCa(release: string): Assessment {
  return {
    risk: "webhook-policy",
    reason: `the chart no longer sets the CAs of the webhooks of ${release}. Until cert-manager's CA injector has set these CAs, the API server cannot call the webhooks. With webhookFailurePolicy: Fail, the API server then rejects all new pods. With Ignore, new pods start without a proxy`,
    prerequisites: [
      {
        text: "This commit also restarts pods. If the API server must not reject these pods, set linkerd.webhookFailurePolicy: Ignore in an earlier commit. Pods then start without a proxy until the CAs are set.",
      },
    ],
    steps: [
      {
        text: "As soon as Flux has applied the commit, create the cert-manager Certificates to which the values injectCaFrom refer (meshops help identity). When the CA injector has set the CAs of the webhooks, restart the pods that started without a proxy. If you set linkerd.webhookFailurePolicy only for this change, remove this field from the spec.",
      },
    ],
  };
}

/**
 * Assesses a new issuer. A proxy accepts the certificate of another proxy only if it trusts the trust anchor of the
 * issuer. If one commit contains two steps of a trust anchor rotation, pods that have restarted and pods that have not
 * restarted refuse each other.
 */
function ofIssuer({ before, after }: ChangedObject, environment: string): Assessment {
  const reason = "a new issuer signs the certificates of the proxies";
  const [old, next] = [committed(before), committed(after)];
  const isTrusted = signerOf(next.issuer, old.anchors) !== undefined;
  if (isTrusted && old.issuer !== undefined && signerOf(old.issuer, next.anchors) === undefined)
    return twoSteps(`${reason}, and the trust anchor of the old issuer is removed`, "step 2 and step 3", [
      {
        text: "Do not push this change. First push only step 2 of the trust anchor rotation: the commit with the new issuer that keeps both trust anchors.",
      },
      {
        text: "Wait until no proxy uses a certificate of the old issuer. This can take 24 hours. Then push step 3.",
        command: `meshops identity status ${environment}`,
      },
    ]);
  const fingerprints = next.anchors.map(fingerprint);
  if (!isTrusted && old.anchors.some((anchor) => fingerprints.includes(fingerprint(anchor))))
    return twoSteps(`${reason}, and the running pods do not trust the trust anchor of this issuer`, "step 1 and step 2", [
      {
        text: "Do not push this change. First push only step 1 of the trust anchor rotation: the commit that adds the new trust anchor and keeps the old issuer.",
      },
      {
        text: "Restart all meshed pods, and check that they trust both trust anchors. Then push step 2.",
        command: `meshops verify ${environment} --only M2,M3`,
      },
    ]);
  return {
    risk: "trust-anchor",
    reason: `${reason}. Certificates that the old issuer signed stay valid for up to 24 hours`,
  };
}

/** Returns the trust anchors and the issuer in the ConfigMap with the public certificates. */
function committed(object: ChangedObject["before"]): { anchors: Certificate[]; issuer: Certificate | undefined } {
  const [anchors = [], [issuer] = []] = [certificateFiles.trustAnchors, certificateFiles.issuer].map((file) =>
    certificatesIn(String(at(object, "data", file) ?? "")),
  );
  return { anchors, issuer };
}

function twoSteps(reason: string, contained: string, steps: readonly Step[]): Assessment {
  return {
    risk: "mesh-restart",
    reason: `${reason}. This change contains ${contained} of a trust anchor rotation. Pods that have restarted and pods that have not restarted could not connect to each other`,
    steps: steps.map((step) => ({ ...step, phase: "stop" })),
  };
}

/** Assesses a change that adds, removes or replaces trust anchors in the trust bundle. */
function ofAnchors({ path, before, after }: FieldChange, { environment }: ChangeSet): Assessment {
  if (path.startsWith("spec.values.") && before === undefined)
    return ownAnchors(environment, certificatesIn(String(after ?? "")).length);
  if (path.startsWith("spec.values.") && after === undefined)
    return {
      risk: "trust-anchor",
      reason:
        "Linkerd's chart no longer contains the trust anchors. Before new pods start, another program must write these trust anchors to the trust bundle (ConfigMap linkerd-identity-trust-roots)",
    };
  const [previous, next] = [before, after].map((pem) => certificatesIn(String(pem ?? "")).map(fingerprint));
  const removed = (previous ?? []).filter((anchor) => !next?.includes(anchor)).length;
  const added = (next ?? []).filter((anchor) => !previous?.includes(anchor)).length;
  if (removed === 0 && added === 0)
    return { risk: "harmless", reason: "the trust anchors are the same; only the layout of the PEM text differs" };
  if (removed === 0)
    return {
      risk: "trust-anchor",
      reason: `proxies trust an additional trust anchor, as in step 1 of a trust anchor rotation. A proxy loads the new trust anchor when its pod restarts. ${notRestarted}`,
    };
  if (added === 0)
    return {
      risk: "trust-anchor",
      reason: `proxies no longer trust ${removed === 1 ? "one trust anchor" : `${removed} trust anchors`}. They reject certificates that were issued under ${removed === 1 ? "this trust anchor" : "these trust anchors"}. \`meshops identity status\` shows the state of the trust anchor rotation`,
    };
  return {
    risk: "trust-anchor",
    reason:
      "the new trust anchor replaces the old trust anchor in one step. Pods that have restarted and pods that have not restarted cannot connect to each other. `meshops identity rotate-anchor` replaces the trust anchor without an outage",
    steps: [
      {
        phase: "before",
        text: "If the change consists of several commits of meshops identity rotate-anchor, do not push them together, and skip the following steps. Push the commits one by one, and wait between the commits (meshops help identity).",
      },
      push,
      {
        text: "Wait until the control plane has restarted. Do not wait for StatefulSets with a proxy: their rolling updates stop at the first pod.",
        command: "kubectl rollout status deployment --namespace linkerd --timeout=15m",
      },
      {
        text: "Delete all meshed pods in the cluster together. Until all of them have started again, pods with the old trust anchor and pods with the new trust anchor refuse connections from each other. The following command lists the pods.",
        command: "kubectl get pods --all-namespaces --selector linkerd.io/control-plane-ns",
      },
    ],
  };
}

/**
 * Assesses a change from certificates that another program writes to certificates that meshops writes. Linkerd's chart
 * replaces the content of the trust bundle. The chart does not keep the trust anchors that the other program wrote.
 *
 * @param anchors number of trust anchors that meshops writes
 */
function ownAnchors(environment: string, anchors: number): Assessment {
  const bundle = `${identityFolder(environment)}/${certificateFiles.trustAnchors}`;
  return {
    risk: "trust-anchor",
    reason: `meshops now writes the certificates and the trust bundle, which another program wrote before. ${
      anchors > 1
        ? "If the trust bundle of meshops does not contain the trust anchor of the other program, pods"
        : "The trust anchor of meshops replaces the trust anchors in the trust bundle. If it is another trust anchor, pods"
    } that have restarted and pods that have not restarted cannot connect to each other. Until you stop the other program, it can overwrite the Secrets and the trust bundle`,
    steps: [
      {
        text: `Before you push, add the trust anchor in ${bundle} to the trust bundle that the other program writes. Then restart all meshed pods.`,
      },
      {
        text: `Insert the trust anchor of the other program at the beginning of ${bundle}. The file then contains two certificates, and the trust anchor of meshops is the second one.`,
        command: `meshops generate ${environment}`,
      },
      {
        text: "Stop the other program from writing the certificates and the trust bundle, but keep their Secrets and ConfigMap. With cert-manager and trust-manager, delete the Certificates of the issuer and the webhooks, and delete the Bundle with --cascade=orphan. The Bundle owns the ConfigMap of the trust bundle, so without this option, Kubernetes also deletes the ConfigMap.",
      },
      push,
      { text: "Wait until Linkerd is ready.", command: `meshops status ${environment} --watch` },
      {
        text: "Restart all meshed pods that have not restarted. After 24 hours, remove the trust anchor of the other program with the following command, commit and push.",
        phase: "push",
        command: `meshops identity rotate-anchor ${environment} --pods-restarted && meshops generate ${environment}`,
      },
    ],
  };
}
