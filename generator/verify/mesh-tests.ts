import type { X509Certificate } from "node:crypto";
import { at, type ClusterObject, condition, listAt } from "../cluster/objects.ts";
import { anchorsOf, proxyOf } from "../cluster/workload.ts";
import { certificatesIn, fingerprint, signingAnchor } from "../mesh/certificates.ts";
import { issuerSecret, webhooksOf } from "../mesh/webhooks.ts";
import { type Finding, failed, passed, skipped, undecided } from "./result.ts";
import { dgraphPods, type World } from "./world.ts";

/** Days that the issuer must still be valid for. */
const issuerDays = 30;

/** M1: the control plane is ready. */
export function controlPlaneReady({ workloads }: World): Finding {
  return readyIn(workloads, "linkerd");
}

/** M2: the ConfigMap, the issuer's Secret and every running proxy name the same trust anchors. */
export function anchorsAgree({ trustRoots, secrets, pods }: World): Finding {
  const bundle = bundleOf(at(trustRoots, "data", "ca-bundle.crt"));
  if (bundle === null) return failed("no bundle", "the ConfigMap linkerd-identity-trust-roots is missing or damaged");
  const differ = pods.filter((pod) => {
    const value = anchorsOf(pod);
    return value !== undefined && bundleOf(value) !== bundle;
  });
  const evidence = [
    `bundle ${bundle.slice(0, 19)}`,
    ...differ.map(({ metadata }) => `${metadata.namespace}/${metadata.name} differs`),
  ];
  if (differ.length > 0)
    return failed(`${differ.length} proxies believe others`, "proxies read anchors at their start: restart these pods", evidence);
  const secret = secrets?.get(issuerSecret);
  if (secrets === null) return undecided("the issuer's Secret cannot be read", "you may not read Secrets of linkerd", evidence);
  const own = bundleOf(decoded(secret, "ca.crt"));
  if (own !== bundle) return failed("the issuer's Secret names others", "the identity is half rotated: meshops status", evidence);
  return passed("the same in ConfigMap, Secret and proxies", evidence);
}

/** M3: the issuer is signed by an anchor, for the trust domain, and not near its end. */
export function issuerValid({ secrets, trustRoots, model }: World, now: Date): Finding {
  if (secrets === null) return undecided("cannot be read", "you may not read Secrets of linkerd");
  const [issuer] = certificatesIn(decoded(secrets.get(issuerSecret), "tls.crt"));
  if (issuer === undefined) return failed("no issuer", `the Secret ${issuerSecret} holds no certificate`);
  const { name, environment } = { name: model.environment.metadata.name, environment: model.environment };
  const expected = `identity.linkerd.${environment.spec.linkerd.identity.trustDomain}`;
  const days = Math.floor((Date.parse(issuer.validTo) - now.getTime()) / 86_400_000);
  const evidence = [`${issuer.subject.replaceAll("\n", ", ")}, until ${issuer.validTo}`];
  if (days < 0) return failed(`expired ${-days} days ago`, `meshops identity rotate-issuer ${name}, and push`, evidence);
  if (!issuer.subject.includes(`CN=${expected}`))
    return failed(`for ${issuer.subject}`, `an issuer of this trust domain is CN=${expected}`, evidence);
  if (signingAnchor(certificatesIn(String(at(trustRoots, "data", "ca-bundle.crt"))), issuer) === undefined)
    return failed("signed by none of the trust anchors", "the bundle and the issuer do not belong together: see M2", evidence);
  if (days < issuerDays) return failed(`expires in ${days} days`, `meshops identity rotate-issuer ${name}, and push`, evidence);
  return passed(`valid for ${days} days`, evidence);
}

/** M4: what the API server calls shows a certificate that the caBundle signed, for its own name, and valid now. */
export function webhooksTrusted({ secrets, webhooks, apiServices, model }: World, now: Date): Finding {
  if (secrets === null || webhooks === null)
    return undecided("cannot be read", "you may not read Secrets, or webhook configurations");
  const called = [
    ...webhooks.flatMap((each) => listAt(each, "webhooks").map((hook) => at(hook, "clientConfig"))),
    ...apiServices.map(({ spec }) => spec),
  ];
  const problems: string[] = [];
  for (const { service, namespace, secret } of webhooksOf(model.environment)) {
    const [certificate] = certificatesIn(decoded(secrets.get(secret), "tls.crt"));
    const callers = called.filter(
      (each) => at(each, "service", "name") === service && at(each, "service", "namespace") === namespace,
    );
    if (certificate === undefined) problems.push(`${service}: the Secret ${secret} holds no certificate`);
    else if (Date.parse(certificate.validTo) < now.getTime()) problems.push(`${service}: its certificate has expired`);
    else if (certificate.checkHost(`${service}.${namespace}.svc`) === undefined)
      problems.push(`${service}: its certificate is for another name`);
    else if (callers.length === 0) problems.push(`${service}: nothing calls it`);
    else if (!callers.every((caller) => signs(String(at(caller, "caBundle") ?? ""), certificate)))
      problems.push(`${service}: its certificate is not signed by the caBundle`);
  }
  const fix = `meshops identity rotate-webhooks ${model.environment.metadata.name}, or let Flux reconcile the charts`;
  return problems.length === 0 ? passed("all certificates match") : failed(`${problems.length} do not match`, fix, problems);
}

/** M5: every pod that is to be meshed has a proxy, of the version in the spec. */
export function podsMeshed({ pods, namespaces, model, track }: World): Finding {
  const inherited = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.annotations?.["linkerd.io/inject"]]));
  const own = new Set(dgraphPods(model, pods));
  const wanted = pods.filter(
    (pod) =>
      own.has(pod) ||
      (pod.metadata.annotations?.["linkerd.io/inject"] ?? inherited.get(pod.metadata.namespace ?? "")) === "enabled",
  );
  const name = ({ metadata }: ClusterObject): string => `${metadata.namespace}/${metadata.name}`;
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
export function vizReachable({ workloads, apiServices, model }: World): Finding {
  if (!model.environment.spec.linkerd.viz.enabled) return skipped("viz is not enabled");
  const ready = readyIn(workloads, "linkerd-viz");
  if (ready.status !== "passed") return ready;
  const api = apiServices.find(({ metadata }) => metadata.name === "v1alpha1.tap.linkerd.io");
  const available = api === undefined ? undefined : condition(api, "Available");
  if (available?.status === "True") return passed(`${ready.seen}, and the tap API is available`);
  return failed("the tap API is not available", available?.message ?? "there is no APIService v1alpha1.tap.linkerd.io");
}

/** M7: tracing's collector and its front end are ready. */
export function tracingReachable({ workloads, model }: World): Finding {
  return model.environment.spec.linkerd.jaeger.enabled ? readyIn(workloads, "linkerd-jaeger") : skipped("jaeger is not enabled");
}

function readyIn(workloads: readonly ClusterObject[], namespace: string): Finding {
  const own = workloads.filter(({ metadata }) => metadata.namespace === namespace);
  const count = ({ status }: ClusterObject): number => Number(at(status, "readyReplicas") ?? 0);
  const left = own.filter((workload) => count(workload) < Number(at(workload, "spec", "replicas") ?? 1));
  const names = left.map(({ kind, metadata }) => `${kind} ${namespace}/${metadata.name} is not ready`);
  if (own.length === 0) return failed("there is none", `nothing runs in ${namespace}: meshops status`);
  return left.length === 0
    ? passed(`${own.length} workloads ready`)
    : failed(`${left.length} of ${own.length} not ready`, "meshops status says why", names);
}

/** A bundle by its certificates: what surrounds the PEM blocks does not matter. Null where it is damaged or empty. */
function bundleOf(pem: unknown): string | null {
  const found = certificatesIn(typeof pem === "string" ? pem : null);
  return found.length === 0 ? null : found.map(fingerprint).sort().join(" ");
}

function signs(caBundle: string, certificate: X509Certificate): boolean {
  const authorities = certificatesIn(Buffer.from(caBundle, "base64").toString());
  return authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
}

function decoded(secret: ClusterObject | null | undefined, key: string): string | null {
  const value = at(secret, "data", key);
  return typeof value === "string" ? Buffer.from(value, "base64").toString() : null;
}
