import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { referenceFolder } from "./tools.ts";

/*
 * Creates manifests from facts about public workloads. The facts are files in the folder `workloads` of the reference
 * data. The README in that folder describes their format.
 */

type Facts = Record<string, unknown>;

interface Shape {
  readonly object: {
    readonly kind: string;
    readonly apiVersion: string;
    readonly name?: string;
    readonly names?: readonly string[];
    readonly namespace?: string;
  };
  readonly [fact: string]: unknown;
}

interface Render {
  readonly objects?: readonly Shape[];
  readonly absent?: readonly string[];
  readonly changed?: readonly { readonly objects: readonly string[]; readonly merge: Facts }[];
}

/** Source of a workload's manifests. The kind `path` is a folder with a kustomization.yaml. */
type Delivery =
  | { readonly kind: "chart"; readonly chart: string; readonly version: string }
  | { readonly kind: "oci"; readonly url: string; readonly version: string }
  | { readonly kind: "path" };

interface WorkloadFile {
  readonly delivery: Delivery;
  readonly renders: Readonly<Record<string, Render>>;
  readonly expected: {
    readonly render: string;
    readonly spec: { readonly workloads: Readonly<Record<string, ExpectedWorkload>> };
  };
}

/** The expected entry for a workload in `spec.workloads`. Contains only the fields that tests compare. */
export interface ExpectedWorkload {
  readonly namespace: string;
  readonly pods: Readonly<
    Record<
      string,
      {
        readonly workloadRef: { readonly kind: string; readonly name: string };
        readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
        readonly serviceAccountName: string;
        readonly ports?: Readonly<Record<string, { readonly port: number; readonly protocol: string }>>;
        readonly access?: { readonly clients?: Readonly<Record<string, { readonly workload?: string }>> };
      }
    >
  >;
}

export const workloadFiles = ["descheduler", "emojivoto", "ingress-nginx", "mysql", "online-boutique", "redis"] as const;

/** Returns the manifests of a workload, and the entry that an expert wrote for this workload in `spec.workloads`. */
export function shapeOf(file: (typeof workloadFiles)[number]): {
  name: string;
  expected: ExpectedWorkload;
  manifests: object[];
  /** Source of the workload's manifests. */
  delivery: Delivery;
} {
  const facts = parse(readFileSync(join(referenceFolder, "workloads", `${file}.yaml`), "utf8")) as WorkloadFile;
  const [[name, expected] = ["", undefined]] = Object.entries(facts.expected.spec.workloads);
  if (expected === undefined) throw new Error(`${file} has no expected workload`);
  const objects = objectsOf(facts, facts.expected.render);
  const manifests = objects.flatMap((shape) => manifestOf(shape, expected.namespace));
  return { name, expected, manifests, delivery: facts.delivery };
}

function objectsOf({ renders }: WorkloadFile, wanted: string): Shape[] {
  const [first = {}] = Object.values(renders);
  const render = renders[wanted] ?? {};
  if (render === first) return [...(first.objects ?? [])];
  const idOf = ({ object }: Shape): string => `${object.kind}/${object.name}`;
  const kept = (first.objects ?? []).filter((shape) => !(render.absent ?? []).includes(idOf(shape)));
  const changed = kept.map((shape) =>
    (render.changed ?? [])
      .filter(({ objects }) => objects.includes(idOf(shape)))
      .reduce((merged, { merge }) => mergePatch(merged, merge) as Shape, shape),
  );
  return [...changed, ...(render.objects ?? [])];
}

/** Merges a patch into a value (RFC 7386). */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const out: Facts = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...(target as Facts) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

function manifestOf({ object, ...facts }: Shape, release: string): object[] {
  const metadata = {
    name: object.name,
    namespace: object.namespace ?? release,
    ...(facts["hook"] === undefined ? {} : { annotations: { "helm.sh/hook": "pre-install" } }),
  };
  const base = { apiVersion: object.apiVersion, kind: object.kind, metadata };
  const { type, headless, selector, ports = [] } = facts;
  if (object.kind === "Service")
    return [{ ...base, spec: { type, ...(headless === true ? { clusterIP: "None" } : {}), selector, ports } }];
  if (object.kind === "ServiceAccount" && facts["hook"] === undefined)
    return (object.names ?? [object.name]).map((name) => ({ ...base, metadata: { ...metadata, name } }));
  if (object.kind === "NetworkPolicy") return [{ ...base, spec: { podSelector: {} } }];
  if (facts["template"] === undefined) return [];
  const template = podTemplate(facts["template"] as TemplateFacts);
  if (object.kind === "CronJob") return [{ ...base, spec: { schedule: facts["schedule"], jobTemplate: { spec: { template } } } }];
  return [{ ...base, spec: { ...(object.kind === "Job" ? {} : { selector: { matchLabels: selector } }), template } }];
}

interface TemplateFacts {
  readonly labels?: Facts;
  readonly annotations?: Facts;
  readonly serviceAccount?: { readonly name?: string };
  readonly restartPolicy?: string;
  readonly containers: readonly {
    readonly name: string;
    readonly image?: string;
    readonly ports?: readonly Facts[];
    readonly probes?: Facts;
    readonly addresses?: unknown;
    readonly flags?: unknown;
  }[];
}

function podTemplate({ labels = {}, annotations = {}, serviceAccount, restartPolicy, containers }: TemplateFacts): object {
  return {
    metadata: { labels, annotations },
    spec: {
      serviceAccountName: serviceAccount?.name ?? "default",
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
      containers: containers.map(({ name, image, ports = [], probes = {}, addresses, flags }) => ({
        name,
        image,
        ports: ports.map(({ port, ...rest }) => ({ ...rest, containerPort: port })),
        env: pairs(addresses).map(([key, value]) => ({ name: key, value })),
        args: pairs(flags).map(([key, value]) => `${key}=${value}`),
        ...Object.fromEntries(Object.entries(probes).map(([kind, probe]) => [`${kind}Probe`, probeOf(probe)])),
      })),
    },
  };
}

const probeKinds: Readonly<Record<string, string>> = { http: "httpGet", https: "httpGet", grpc: "grpc", tcp: "tcpSocket" };

function probeOf(probe: unknown): object {
  if (typeof probe !== "object" || probe === null) return { exec: { command: ["true"] } };
  const [[kind, value] = ["exec", {}]] = Object.entries(probe);
  return { [probeKinds[kind] ?? kind]: value };
}

/**
 * Returns the names and values of environment variables or of flags. The reference data contains them in one of three
 * forms: a map, a list of texts `name=value`, or a list of maps with the keys `name` and `value`.
 */
function pairs(found: unknown): [name: string, value: string][] {
  if (!Array.isArray(found)) return Object.entries((found ?? {}) as Facts).map(([name, value]) => [name, String(value)]);
  return found.map((each: unknown) => {
    if (typeof each === "object" && each !== null) {
      const { name, value } = each as { name?: unknown; value?: unknown };
      return [String(name), String(value)];
    }
    const [name = "", ...value] = String(each).split("=");
    return [name, value.join("=")];
  });
}
