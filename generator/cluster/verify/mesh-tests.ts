import type { X509Certificate } from "node:crypto";
import { keyReader } from "../../catalog/secret-keys.ts";
import { secretNames } from "../../catalog/well-known.ts";
import { certificatesIn, fingerprint, signingAnchor } from "../../identity/pem.ts";
import { type Stage, stageOf } from "../../identity/state.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition, listAt } from "../../kubernetes/object-fields.ts";
import { isMeshed } from "../../mesh/meshed.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { webhooksOf } from "../../mesh/webhooks.ts";
import { plural, timeLeft } from "../../system/text.ts";
import { anchorGaps, bundleIn } from "../anchors.ts";
import { decoded, issuerIn, lostSecrets, refusedKeys } from "../certificates.ts";
import { type ClusterState, dgraphPods } from "./cluster-state.ts";
import { type Finding, failed, passed, skipped, undecided } from "./result.ts";

/** Days that the issuer must still be valid for. */
const issuerDays = 30;

/** M1: the control plane is ready. */
export function controlPlaneReady(clusterState: ClusterState): Finding {
  return readyIn(clusterState, "linkerd");
}

/** What a rotation of the trust anchor has reached, by the certificates in the cluster. */
const rotationStep: Readonly<Record<Stage, string | null>> = {
  settled: null,
  bundled: "an anchor rotation is under way: step 1 of 3 is done, the old anchor still signs",
  reissued: "an anchor rotation is under way: step 2 of 3 is done, the new anchor signs",
};

/**
 * M2: the bundle contains the issuer's anchor, and every running proxy trusts it. Linkerd takes its anchors from the ConfigMap
 * `linkerd-identity-trust-roots`; between the steps of a rotation the bundle holds a second anchor.
 */
export function anchorsAgree({ identity, meshed, pods }: ClusterState): Finding {
  const bundle = bundleIn(identity.trustRoots);
  if (bundle.length === 0) return failed("no bundle", "the ConfigMap linkerd-identity-trust-roots is missing or damaged");
  const issuer = issuerIn(identity);
  const evidence = bundle.map((anchor) => `anchor ${fingerprint(anchor).slice(0, 12)}, until ${anchor.validTo}`);
  if (issuer === undefined)
    return identity.secrets === null
      ? undecided("the issuer's Secret cannot be read", "you may not read Secrets of linkerd", evidence)
      : failed("no issuer", `the Secret ${secretNames.issuer} holds no certificate`, evidence);
  if (signingAnchor(bundle, issuer) === undefined)
    return failed("the bundle lacks the issuer's anchor", "bundle and issuer do not belong together: meshops status", evidence);
  const gaps = anchorGaps(meshed ?? pods, identity.trustRoots, issuer);
  const broken = gaps.filter(({ breaks }) => breaks).map(({ pod }) => pod);
  if (broken.length > 0)
    return failed(
      `${plural(broken.length, "proxy", "proxies")} without the issuer's anchor`,
      "proxies read anchors when they start: restart these pods",
      [...evidence, ...broken],
    );
  const stage = stageOf(bundle, issuer);
  const step = stage === null ? null : rotationStep[stage];
  const late = gaps.map(({ pod }) => pod);
  return passed(`${plural(bundle.length, "anchor")} in the bundle, the issuer's in every proxy`, evidence, [
    ...(step === null ? [] : [step]),
    ...(late.length === 0
      ? []
      : [`the next step must wait until these pods have restarted with the whole bundle: ${late.join(", ")}`]),
    ...(meshed === null ? ["pods of other namespaces were not checked: you may not list them"] : []),
  ]);
}

/** M3: the issuer is signed by an anchor, and does not expire soon. Linkerd does not check its common name (linkerd2, pkg/identity/service.go, loadCredentials). */
export function issuerValid({ identity, model }: ClusterState, now: Date): Finding {
  if (identity.secrets === null) return undecided("cannot be read", "you may not read Secrets of linkerd");
  const issuer = issuerIn(identity);
  if (issuer === undefined) return failed("no issuer", `the Secret ${secretNames.issuer} holds no certificate`);
  const { metadata, spec } = model.environment;
  const expected = `identity.linkerd.${spec.linkerd.identity.trustDomain}`;
  const left = Date.parse(issuer.validTo) - now.getTime();
  const rotate = `meshops identity rotate-issuer ${metadata.name}, and push`;
  const evidence = [`${issuer.subject.replaceAll("\n", ", ")}, until ${issuer.validTo}`];
  if (left <= 0) return failed(timeLeft(issuer.validTo, now), rotate, evidence);
  if (signingAnchor(bundleIn(identity.trustRoots), issuer) === undefined)
    return failed("signed by none of the trust anchors", "the bundle and the issuer do not belong together: see M2", evidence);
  if (left < issuerDays * 86_400_000) return failed(timeLeft(issuer.validTo, now), rotate, evidence);
  return passed(
    timeLeft(issuer.validTo, now),
    evidence,
    issuer.subject.includes(`CN=${expected}`)
      ? []
      : [`its name is ${issuer.subject}, not CN=${expected}; Linkerd does not check it`],
  );
}

/** M4: what the API server calls shows a certificate that the caBundle signed, for its own name, and valid now. */
export function webhooksTrusted({ identity, webhooks, apiServices, model }: ClusterState, now: Date): Finding {
  const { secrets } = identity;
  if (secrets === null || webhooks === null)
    return undecided("cannot be read", "you may not read Secrets, or webhook configurations");
  const called = [
    ...webhooks.flatMap((each) => listAt(each, "webhooks").map((hook) => at(hook, "clientConfig"))),
    ...apiServices.map(({ spec }) => spec),
  ];
  const problems: string[] = [];
  for (const { service, namespace, secret } of webhooksOf(model.environment)) {
    const [certificate] = certificatesIn(decoded(secrets.get(`${namespace}/${secret}`), "tls.crt"));
    const callers = called.filter(
      (each) => at(each, "service", "name") === service && at(each, "service", "namespace") === namespace,
    );
    if (certificate === undefined) problems.push(`${service}: the Secret ${secret} holds no certificate`);
    else if (Date.parse(certificate.validTo) < now.getTime())
      problems.push(`${service}: its certificate ${timeLeft(certificate.validTo, now)}`);
    else if (certificate.checkHost(`${service}.${namespace}.svc`) === undefined)
      problems.push(`${service}: its certificate is for another name`);
    else if (callers.length === 0) problems.push(`${service}: nothing calls it`);
    else if (!callers.every((caller) => signs(String(at(caller, "caBundle") ?? ""), certificate)))
      problems.push(`${service}: its certificate is not signed by the caBundle`);
  }
  for (const { secret, form } of refusedKeys(model.environment, identity))
    problems.push(`${secret}: its private key is ${form}, which ${keyReader(secret).reader} cannot read`);
  const fix = `meshops identity rotate-webhooks ${model.environment.metadata.name}, or let Flux reconcile the charts`;
  return problems.length === 0 ? passed("all certificates match") : failed(`${problems.length} do not match`, fix, problems);
}

/** M5: every pod that is to be meshed has a proxy, of the version in the spec. */
export function podsMeshed({ pods, namespaces, model, linkerdRelease: track }: ClusterState): Finding {
  const inherited = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.annotations ?? {}]));
  const own = new Set(dgraphPods(model, pods));
  const wanted = pods.filter((pod) => {
    const facts = {
      annotations: pod.metadata.annotations ?? {},
      namespace: inherited.get(pod.metadata.namespace ?? "") ?? null,
      hostNetwork: at(pod, "spec", "hostNetwork") === true,
      hasProxy: false,
    };
    return own.has(pod) || isMeshed(facts) === "yes";
  });
  const name = ({ metadata }: KubernetesObject): string => `${metadata.namespace}/${metadata.name}`;
  const bare = wanted.filter((pod) => proxyOf(pod) === undefined).map(name);
  if (bare.length > 0)
    return failed(
      `${bare.length} of ${wanted.length} run without a proxy`,
      "the injector was not asked, or did not answer: restart these pods",
      bare,
    );
  const old = wanted.filter((pod) => (pod.metadata.annotations?.["linkerd.io/proxy-version"] ?? track.version) !== track.version);
  if (old.length > 0) return failed(`${old.length} proxies are not of ${track.version}`, "restart these pods", old.map(name));
  return wanted.length === 0
    ? failed("there are none", "nothing is deployed: meshops status")
    : passed(`${wanted.length} pods, ${track.version}`);
}

/** M6: viz is ready, and the API server reaches its tap API. */
export function vizReachable(clusterState: ClusterState): Finding {
  const { apiServices, model } = clusterState;
  if (!model.environment.spec.linkerd.viz.enabled) return skipped("viz is not enabled");
  const ready = readyIn(clusterState, "linkerd-viz");
  if (ready.status !== "passed") return ready;
  const api = apiServices.find(({ metadata }) => metadata.name === "v1alpha1.tap.linkerd.io");
  const available = api === undefined ? undefined : condition(api, "Available");
  if (available?.status === "True") return passed(`${ready.seen}, and the tap API is available`);
  return failed("the tap API is not available", available?.message ?? "there is no APIService v1alpha1.tap.linkerd.io");
}

/** M7: tracing's collector and its front end are ready. */
export function tracingReachable(clusterState: ClusterState): Finding {
  return clusterState.model.environment.spec.linkerd.jaeger.enabled
    ? readyIn(clusterState, "linkerd-jaeger")
    : skipped("jaeger is not enabled");
}

function readyIn({ workloads, pods, identity }: ClusterState, namespace: string): Finding {
  const own = workloads.filter(({ metadata }) => metadata.namespace === namespace);
  const count = ({ status }: KubernetesObject): number => Number(at(status, "readyReplicas") ?? 0);
  const left = own.filter((workload) => count(workload) < Number(at(workload, "spec", "replicas") ?? 1));
  const names = left.map(({ kind, metadata }) => `${kind} ${namespace}/${metadata.name} is not ready`);
  if (own.length === 0) return failed("there is none", `nothing runs in ${namespace}: meshops status`);
  const lost = lostSecrets(
    identity,
    pods.filter(({ metadata }) => metadata.namespace === namespace),
  );
  if (lost.length > 0)
    return failed(
      `${plural(lost.length, "Secret")} missing`,
      "pods run on with what they have mounted, and do not start again without it: flux reconcile kustomization identity",
      [...names, ...lost.map(([secret, { metadata }]) => `pod ${metadata.name} mounts Secret ${secret}, which does not exist`)],
    );
  return left.length === 0
    ? passed(`${own.length} workloads ready`)
    : failed(`${left.length} of ${own.length} not ready`, "meshops status says why", names);
}

function signs(caBundle: string, certificate: X509Certificate): boolean {
  const authorities = certificatesIn(Buffer.from(caBundle, "base64").toString());
  return authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
}
