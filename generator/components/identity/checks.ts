import type { X509Certificate } from "node:crypto";
import { keyReader } from "../../catalog/secret-keys.ts";
import { secretNames } from "../../catalog/well-known.ts";
import { anchorGaps, bundleIn } from "../../identity/anchors.ts";
import { certificateIn, issuerIn, refusedKeys } from "../../identity/cluster-certificates.ts";
import { certificatesIn, fingerprint, signerOf } from "../../identity/pem.ts";
import { type Stage, stageOf } from "../../identity/rotation-state.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { webhooksOf } from "../../mesh/webhooks.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { plural, timeLeft } from "../../system/text.ts";
import type { ClusterState, StateCheck } from "../check.ts";
import { type CheckProblem, type CheckResult, failed, passed, undecided } from "../check-result.ts";

/** Tests of the trust anchors, the issuer, and the certificates of webhooks. */
export function identityChecks(environment: Environment): readonly StateCheck[] {
  return [
    {
      id: "M2",
      title: "every proxy trusts the issuer's trust anchor",
      expected: "the trust bundle contains the issuer's trust anchor, and every proxy trusts this trust anchor",
      evaluate: anchorsAgree,
    },
    {
      id: "M3",
      title: "the issuer is valid",
      expected: hasExternalIdentity(environment)
        ? "the issuer is signed by a trust anchor, and at least a quarter of its validity period remains"
        : "the issuer is signed by a trust anchor, and at least 30 days of its validity period remain",
      evaluate: (state, { now }) => issuerValid(state, now, environment),
    },
    {
      id: "M4",
      title: "webhooks are trusted",
      expected: "the certificate of each webhook and of each APIService is signed by a CA in the caBundle",
      evaluate: (state, { now }) => webhooksTrusted(state, now, environment),
    },
  ];
}

const day = 86_400_000;

/**
 * Returns the minimum remaining validity of an issuer in milliseconds. If meshops creates the issuer, the minimum is 30
 * days, so that a user has time to rotate the issuer. For an external issuer, the minimum is a quarter of the validity
 * period. The external program renews the issuer automatically when a third of this period remains, or earlier
 * (cert-manager's default). If less than a quarter of the period remains, the renewal has failed.
 */
function leastLeft(environment: Environment, { validFrom, validTo }: X509Certificate): number {
  return hasExternalIdentity(environment) ? (Date.parse(validTo) - Date.parse(validFrom)) / 4 : 30 * day;
}

/** Notes about the progress of a trust anchor rotation, by stage. The certificates in the cluster show the stage. */
const rotationStep: Readonly<Record<Stage, string | null>> = {
  stable: null,
  "anchor-added":
    "a trust anchor rotation is in progress: step 1 of 3 is done. The issuer is still signed by the old trust anchor",
  "issuer-rotated": "a trust anchor rotation is in progress: step 2 of 3 is done. The issuer is signed by the new trust anchor",
};

/**
 * Checks that the trust bundle contains the issuer's trust anchor, and that every running proxy trusts this trust
 * anchor. Linkerd reads the trust bundle from the ConfigMap `linkerd-identity-trust-roots`. During a rotation, the
 * trust bundle contains a second trust anchor.
 */
function anchorsAgree({ identity, meshed, pods }: ClusterState): CheckResult {
  const bundle = bundleIn(identity.trustRoots);
  if (bundle.length === 0) return failed("no trust bundle", "the ConfigMap linkerd-identity-trust-roots is missing or damaged");
  const issuer = issuerIn(identity);
  const evidence = bundle.map((anchor) => `anchor ${fingerprint(anchor).slice(0, 12)}, until ${anchor.validTo}`);
  if (issuer === undefined)
    return identity.secrets === null
      ? undecided("the issuer's Secret cannot be read", "you are not allowed to read Secrets in namespace linkerd", evidence)
      : failed("no issuer certificate", `the Secret ${secretNames.issuer} contains no certificate`, evidence);
  if (signerOf(issuer, bundle) === undefined)
    return failed(
      "the trust bundle does not contain the issuer's trust anchor",
      {
        reason: "no trust anchor in the trust bundle signed the issuer's certificate",
        fix: "run meshops status to see the details",
      },
      evidence,
    );
  const gaps = anchorGaps(meshed ?? pods, identity.trustRoots, issuer);
  const broken = gaps.filter(({ breaks }) => breaks).map(({ pod }) => pod);
  if (broken.length > 0)
    return failed(
      `${plural(broken.length, "proxy does", "proxies do")} not trust the issuer's trust anchor`,
      { reason: "proxies read trust anchors only when they start", fix: "restart the listed pods" },
      [...evidence, ...broken],
    );
  const stage = stageOf(bundle, issuer);
  const step = stage === null ? null : rotationStep[stage];
  const late = gaps.map(({ pod }) => pod);
  const who = gaps.some(({ lacks }) => lacks === null) ? "every proxy whose trust anchors meshops can read" : "every proxy";
  return passed(
    `the trust bundle has ${plural(bundle.length, "trust anchor")}; ${who} trusts the issuer's trust anchor`,
    evidence,
    [
      ...(step === null ? [] : [step]),
      ...(late.length === 0
        ? []
        : [
            `these pods do not trust all trust anchors in the trust bundle. Restart them before the next step of the rotation: ${late.join(", ")}`,
          ]),
      ...(meshed === null
        ? [
            "you are not allowed to list the pods of all namespaces. meshops checked only the pods in the namespaces of this environment's components",
          ]
        : []),
    ],
  );
}

/**
 * Checks that a trust anchor signed the issuer, and that the issuer does not expire soon. Linkerd does not check the
 * issuer's common name (linkerd2, pkg/identity/service.go, loadCredentials).
 */
function issuerValid({ identity }: ClusterState, now: Date, environment: Environment): CheckResult {
  if (identity.secrets === null)
    return undecided("the issuer's Secret cannot be read", "you are not allowed to read Secrets in namespace linkerd");
  const issuer = issuerIn(identity);
  if (issuer === undefined) return failed("no issuer certificate", `the Secret ${secretNames.issuer} contains no certificate`);
  const { metadata, spec } = environment;
  const expected = `identity.linkerd.${spec.linkerd.identity.trustDomain}`;
  const left = Date.parse(issuer.validTo) - now.getTime();
  const rotate = hasExternalIdentity(environment)
    ? {
        reason: `the program that writes the Secret ${secretNames.issuer} does not renew the certificate`,
        fix: "see the events and the log of this program",
      }
    : { fix: `run meshops identity rotate-issuer ${metadata.name}, then generate, commit and push` };
  const evidence = [`${issuer.subject.replaceAll("\n", ", ")}, until ${issuer.validTo}`];
  const problems: (readonly [seen: string, problem: CheckProblem])[] = [
    ...(left < leastLeft(environment, issuer) ? [[timeLeft(issuer.validTo, now), rotate] as const] : []),
    ...(signerOf(issuer, bundleIn(identity.trustRoots)) === undefined
      ? [
          [
            "not signed by a trust anchor",
            { reason: "the trust bundle does not contain the issuer's trust anchor", fix: "see test M2" },
          ] as const,
        ]
      : []),
  ];
  if (problems.length > 0)
    return failed(
      problems.map(([seen]) => seen).join(", "),
      problems.map(([, cause]) => cause),
      evidence,
    );
  return passed(
    timeLeft(issuer.validTo, now),
    evidence,
    issuer.subject.includes(`CN=${expected}`)
      ? []
      : [
          `the issuer's subject is ${issuer.subject}, not CN=${expected}. This has no effect, because Linkerd does not check the subject`,
        ],
  );
}

/**
 * Checks the certificate of each server that the API server calls. The certificate must be signed by a CA in the
 * caBundle, be issued for the name of the server, and not be expired.
 */
function webhooksTrusted({ identity, webhooks, apiServices }: ClusterState, now: Date, environment: Environment): CheckResult {
  const { secrets } = identity;
  if (secrets === null || webhooks === null)
    return undecided(
      "the webhooks' certificates cannot be checked",
      "you are not allowed to read Secrets or webhook configurations",
    );
  const called = [
    ...webhooks.flatMap((each) => listAt(each, "webhooks").map((hook) => at(hook, "clientConfig"))),
    ...apiServices.map(({ spec }) => spec),
  ];
  const problems: string[] = [];
  for (const { service, namespace, secret } of webhooksOf(environment)) {
    const certificate = certificateIn({ secrets }, namespace, secret);
    const callers = called.filter(
      (each) => at(each, "service", "name") === service && at(each, "service", "namespace") === namespace,
    );
    if (certificate === undefined) problems.push(`${service}: the Secret ${secret} contains no certificate`);
    else if (Date.parse(certificate.validTo) < now.getTime())
      problems.push(`${service}: the certificate of this Service ${timeLeft(certificate.validTo, now)}`);
    else if (certificate.checkHost(`${service}.${namespace}.svc`) === undefined)
      problems.push(`${service}: the certificate of this Service is not valid for ${service}.${namespace}.svc`);
    else if (callers.length === 0) problems.push(`${service}: no webhook configuration or APIService refers to this Service`);
    else if (!callers.every((caller) => signerOf(certificate, authoritiesIn(at(caller, "caBundle"))) !== undefined))
      problems.push(`${service}: the certificate of this Service is not signed by a CA in the caBundle`);
  }
  for (const { secret, form } of refusedKeys(environment, identity))
    problems.push(
      `${secret}: the ${keyReader(secret).reader} cannot read the private key, because the key has the format ${form}`,
    );
  const fix = hasExternalIdentity(environment)
    ? "correct the Secrets and the caBundle in the tool that writes them"
    : `wait until Flux or helmfile has updated the charts; if the test still fails, run meshops identity rotate-webhooks ${environment.metadata.name}, then generate, commit and push`;
  return problems.length === 0
    ? passed("each certificate is valid, and is signed by a CA in its caBundle")
    : failed(plural(problems.length, "problem"), { fix }, problems);
}

/** Certificates in the `caBundle` of a webhook configuration or an APIService. */
function authoritiesIn(caBundle: unknown): X509Certificate[] {
  return certificatesIn(Buffer.from(String(caBundle ?? ""), "base64").toString());
}
