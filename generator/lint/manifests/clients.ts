import { policyGroup } from "../../catalog/well-known.ts";
import { annotationsOf, ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf, hasPreStop, serviceAccountOf, type Workload } from "../../kubernetes/workload.ts";
import { effectiveInject, injectionFacts, workloadIsMeshed } from "../../mesh/meshed.ts";
import { isProxyContainer } from "../../mesh/pod.ts";
import { isSame } from "../../mesh/reference-kind.ts";
import { serviceNamed } from "../../mesh/services.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about ingress controllers, restarts, and clients that Linkerd cannot distinguish. */
export const clientRules: readonly ManifestRule[] = [
  {
    code: "ingress-endpoints",
    severity: "warning",
    title: "A meshed ingress controller connects to pods instead of their Service",
    why: "By default, ingress-nginx and Traefik choose a pod themselves. The controller's proxy then gets the address of a pod instead of the address of the Service. Routes, retries, timeouts and Linkerd's load balancing of the Service therefore do not apply (linkerd.io, “Handling ingress traffic”; linkerd2#8922). Mutual TLS and authorization still work.",
    fix: 'For ingress-nginx, set the annotation `nginx.ingress.kubernetes.io/service-upstream: "true"` on the Ingress. For Traefik, set `traefik.ingress.kubernetes.io/service.nativelb: "true"` on the Service.',
    check: ingressEndpoints,
  },
  {
    code: "prestop-missing",
    severity: "warning",
    title: "A meshed server with several replicas has no preStop hook",
    why: "When a pod stops, clients still send requests to the pod for a short time. In a test with a real mesh and 50 requests per second, one or two requests failed for each restarted pod. With a preStop hook that sleeps for 5 seconds, none of 16,900 requests failed.",
    fix: "Add `lifecycle.preStop` with a sleep of a few seconds to the container that serves requests.",
    check: withoutPreStop,
  },
  {
    code: "service-account-shared",
    severity: "warning",
    title: "A policy admits a service account that several workloads use",
    why: "The identity of a meshed client is its service account. A policy that admits a service account admits all pods with this service account. If several workloads use the same service account, a policy cannot admit only one of these workloads.",
    fix: "Give each client its own service account.",
    check: sharedAccounts,
  },
];

interface Controller {
  readonly name: string;
  readonly image: RegExp;
  readonly className: RegExp;
  readonly annotation: string;
  /** Kind of the object on which the user sets `annotation`. */
  readonly on: "Ingress" | "Service";
  /**
   * Matches the setting that has the same effect for all Ingresses: an argument of the controller, or a key in the
   * controller's ConfigMap.
   */
  readonly global: RegExp;
}

const controllers: readonly Controller[] = [
  {
    name: "ingress-nginx",
    image: /ingress-nginx\/controller|nginx-ingress-controller/,
    className: /nginx/,
    annotation: "nginx.ingress.kubernetes.io/service-upstream",
    on: "Ingress",
    global: /^service-upstream$/,
  },
  {
    name: "Traefik",
    image: /(^|\/)traefik[:@]/,
    className: /traefik/,
    annotation: "traefik.ingress.kubernetes.io/service.nativelb",
    on: "Service",
    global: /nativelbbydefault=true/i,
  },
];

function* ingressEndpoints(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const controller of controllers) {
    const workload = stream.workloads.find((each) => isMeshedController(each, controller, stream));
    if (workload === undefined || isSetGlobally(workload, controller, stream)) continue;
    for (const manifest of stream.ofKind("networking.k8s.io", "Ingress").filter((each) => hasClass(each, controller))) {
      const targets = controller.on === "Ingress" ? [manifest] : backendsOf(manifest, stream);
      if (targets.every((target) => annotationsOf(target)[controller.annotation] === "true")) continue;
      yield {
        manifest,
        path: ["metadata", "name"],
        message: `for this Ingress, the meshed ${controller.name} connects directly to pods, and not to their Services. Routes, retries and Linkerd's load balancing do not apply`,
        fix: `set ${controller.annotation}: "true" on ${controller.on === "Ingress" ? "the Ingress" : "the Services"}`,
      };
    }
  }
}

/**
 * Whether a workload is a meshed ingress controller without the annotation `linkerd.io/inject: ingress`. With this
 * annotation, the proxy connects to the address in the header `l5d-dst-override`.
 */
function isMeshedController(workload: Workload, { image }: Controller, stream: ManifestSet): boolean {
  const runs = containersOf(workload).some(({ container }) => image.test(String(container["image"])));
  if (!runs || workloadIsMeshed(workload, stream) !== "yes") return false;
  return effectiveInject(injectionFacts(workload, stream)) !== "ingress";
}

function isSetGlobally(workload: Workload, { global }: Controller, stream: ManifestSet): boolean {
  const inArguments = containersOf(workload).some(({ container }) =>
    listOf(container["args"]).some((argument) => global.test(String(argument))),
  );
  const settings = stream
    .ofKind("", "ConfigMap")
    .filter(({ namespace }) => ManifestSet.mayShareNamespace(namespace, workload.manifest.namespace))
    .flatMap(({ value }) => Object.entries(asMap(value["data"])));
  return inArguments || settings.some(([key, value]) => global.test(key) && value === "true");
}

function hasClass(ingress: Manifest, { className }: Controller): boolean {
  const named = specOf(ingress)["ingressClassName"] ?? annotationsOf(ingress)["kubernetes.io/ingress.class"];
  return className.test(String(named ?? ""));
}

function backendsOf(ingress: Manifest, stream: ManifestSet): Manifest[] {
  const names = listAt(specOf(ingress), "rules").flatMap((rule) =>
    listAt(rule, "http", "paths").map((path) => at(path, "backend", "service", "name")),
  );
  return names.flatMap((name) => serviceNamed(stream, String(name), ingress.namespace) ?? []);
}

function* withoutPreStop(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    const { manifest } = workload;
    if (!["Deployment", "StatefulSet"].includes(manifest.kind) || Number(specOf(manifest)["replicas"] ?? 1) < 2) continue;
    if (workloadIsMeshed(workload, stream) !== "yes" || stream.servicesOf(workload).length === 0) continue;
    const containers = containersOf(workload);
    const [first] = containers.filter(({ container }) => !isProxyContainer(container));
    if (first === undefined || hasPreStop(containers.map(({ container }) => container))) continue;
    yield {
      manifest,
      path: [...first.path, "name"],
      message:
        "the pods have no preStop hook. When a pod stops, clients still send requests to the pod for a short time, and some of these requests fail",
      fix: "add lifecycle.preStop with a sleep of 5 seconds to the container that serves requests. The form {sleep: {seconds: 5}} needs no shell in the image",
    };
  }
}

function* sharedAccounts(stream: ManifestSet): Iterable<ManifestFinding> {
  const references = [
    ...stream.ofKind(policyGroup, "MeshTLSAuthentication").map((manifest) => [manifest, "identityRefs"] as const),
    ...stream.ofKind(policyGroup, "AuthorizationPolicy").map((manifest) => [manifest, "requiredAuthenticationRefs"] as const),
  ];
  for (const [manifest, field] of references)
    for (const [index, reference] of listOf(specOf(manifest)[field]).map(asMap).entries()) {
      const { kind, name, namespace = manifest.namespace } = reference;
      if (!isSame(kind, "ServiceAccount")) continue;
      const clients = stream.workloads.filter(
        (each) =>
          serviceAccountOf(each) === name && each.manifest.namespace === namespace && workloadIsMeshed(each, stream) === "yes",
      );
      const names = new Set(clients.map((each) => `${each.manifest.kind} ${each.manifest.name}`));
      if (names.size < 2) continue;
      yield {
        manifest,
        path: ["spec", field, index, "name"],
        message: `this policy admits all workloads that use the service account ${String(namespace)}/${String(name)}: ${[...names].join(", ")}`,
        fix: "give each client its own service account",
      };
    }
}
