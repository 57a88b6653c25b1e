import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { annotationPrefixes, linkerdAnnotations, readBy, writtenAnnotations } from "../../catalog/linkerd-annotations.ts";
import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { groupBy } from "../../system/data.ts";
import { compareText } from "../../system/text.ts";
import { manifestRules } from "../manifests.ts";
import { acceptedIn, list } from "./conditions.ts";

/** Action of the API server if an object does not satisfy a policy. */
export type AdmissionAction = "Deny" | "Warn" | "Audit";

/** Kinds of objects that a policy checks. */
const resources = {
  pods: { apiGroups: [""], resources: ["pods"] },
  workloads: { apiGroups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets", "replicasets"] },
  jobs: { apiGroups: ["batch"], resources: ["jobs", "cronjobs"] },
  places: { apiGroups: [""], resources: ["namespaces", "services"] },
} as const;

/**
 * A rule that checks each object without reading other objects. `expression` returns a CEL expression that is true if
 * the object complies with the rule.
 */
interface AdmissionRule {
  readonly code: string;
  readonly checks: readonly (keyof typeof resources)[];
  readonly expression: (release: LinkerdRelease | null) => string;
}

const everywhere = ["pods", "workloads", "jobs", "places"] as const;

/**
 * CEL variables. Linkerd reads the annotations of `annotated`. For a workload, `annotated` is the pod template. For
 * pods, namespaces and Services, `annotated` is the object itself. With these variables, the expressions of the rules
 * are the same for all kinds.
 */
const variables = [
  {
    name: "annotated",
    expression:
      "request.kind.kind in ['Pod', 'Namespace', 'Service'] ? object : request.kind.kind == 'CronJob' ? object.spec.jobTemplate.spec.template : object.spec.template",
  },
  {
    name: "annotations",
    expression:
      "has(variables.annotated.metadata) && has(variables.annotated.metadata.annotations) ? variables.annotated.metadata.annotations : {}",
  },
  {
    name: "labels",
    expression:
      "has(variables.annotated.metadata) && has(variables.annotated.metadata.labels) ? variables.annotated.metadata.labels : {}",
  },
];

const injectValue = `variables.annotations['${injectKey}']`;
const injected = `'${injectKey}' in variables.annotations && ${injectValue} in ['enabled', 'ingress']`;

const rules: readonly AdmissionRule[] = [
  {
    code: "inject-value",
    checks: everywhere,
    expression: () => {
      const format = linkerdAnnotations[injectKey]?.format ?? "text";
      return `!('${injectKey}' in variables.annotations) || ${acceptedIn(format, injectValue)}`;
    },
  },
  {
    code: "inject-label",
    checks: everywhere,
    expression: () => `${list(keys(null))}.all(key, !(key in variables.labels) || key in variables.annotations)`,
  },
  {
    code: "inject-misplaced",
    checks: ["workloads", "jobs"],
    expression: () =>
      `!has(object.metadata.annotations) || !('${injectKey}' in object.metadata.annotations) || '${injectKey}' in variables.annotations`,
  },
  {
    code: "inject-host-network",
    checks: ["pods", "workloads", "jobs"],
    expression: () => `!has(variables.annotated.spec.hostNetwork) || !variables.annotated.spec.hostNetwork || !(${injected})`,
  },
  {
    code: "annotation-unknown",
    checks: everywhere,
    expression: (release) => {
      const reserved = [...annotationPrefixes].map((prefix) => `key.startsWith('${prefix}/')`).join(" || ");
      const known = [...keys(release), ...writtenAnnotations];
      return `variables.annotations.all(key, !(${reserved}) || key in ${list(known)})`;
    },
  },
  {
    code: "annotation-value",
    checks: everywhere,
    expression: () => {
      const checked = keys(null).flatMap((key) => {
        const condition =
          key === injectKey ? null : acceptedIn(linkerdAnnotations[key]?.format ?? "text", "variables.annotations[key]");
        return condition === null ? [] : [{ key, condition }];
      });
      const byCondition = [...groupBy(checked, ({ condition }) => condition)];
      return byCondition
        .map(
          ([condition, own]) => `${list(own.map(({ key }) => key))}.all(key, !(key in variables.annotations) || (${condition}))`,
        )
        .join(" && ");
    },
  },
];

/** Codes of the rules that can be exported, in alphabetical order. */
export const exportedRules: readonly string[] = rules.map(({ code }) => code).sort(compareText);

/**
 * Returns the names of the annotations that a release reads. If the release is not known, returns the names of all
 * known annotations.
 */
function keys(release: LinkerdRelease | null): string[] {
  return Object.entries(linkerdAnnotations).flatMap(([key, known]) =>
    release === null || readBy(known, release) === "yes" ? [key] : [],
  );
}

/**
 * Returns one ValidatingAdmissionPolicy and one binding per rule. If the API server cannot evaluate the expression of a
 * policy, the API server admits the object, so that a policy never blocks a cluster by mistake. The API version of
 * these objects requires Kubernetes 1.30 or later.
 *
 * @param release the Linkerd release of the cluster; null to accept the annotations of all releases
 */
export function admissionPolicies(release: LinkerdRelease | null, action: AdmissionAction): KubernetesObject[] {
  return rules.flatMap(({ code, checks, expression }): KubernetesObject[] => {
    const rule = manifestRules.find((each) => each.code === code);
    const name = `meshops-${code}`;
    const apiVersion = "admissionregistration.k8s.io/v1";
    const operations = ["CREATE", "UPDATE"];
    return [
      {
        apiVersion,
        kind: "ValidatingAdmissionPolicy",
        metadata: { name },
        spec: {
          failurePolicy: "Ignore",
          matchConstraints: {
            resourceRules: checks.map((kind) => ({ ...resources[kind], apiVersions: ["v1"], operations })),
          },
          variables,
          validations: [
            {
              expression: expression(release),
              message: `${rule?.title ?? code} (meshops rule ${code}); for details, run meshops help ${code}`,
            },
          ],
        },
      },
      {
        apiVersion,
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name },
        spec: { policyName: name, validationActions: [action] },
      },
    ] as unknown as KubernetesObject[];
  });
}
