import type { V1Pod } from "@kubernetes/client-node";
import { proxyPorts } from "../../catalog/linkerd.ts";
import { injectKey, managedLabel, meshedLabel } from "../../catalog/well-known.ts";
import type { Call, CallResult } from "../../components/check.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { probeScript } from "./probe-script.ts";

/** A short-lived pod that sends HTTP or gRPC calls to test access. */
export interface Probe {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly meshed: boolean;
  /** Whether the pod has the label of meshed pods but no proxy. */
  readonly forged?: boolean;
  readonly calls: readonly Call[];
  /** Name of the environment variable with the path of the service's .proto file. The image sets this variable. */
  readonly protoVariable: string;
}

export const probeLabel = "meshops.dev/verify";
/** Name of a probe's container. */
export const probeContainer = "probe";

/** Timeouts of a call in seconds: `connect` for the connection, `answer` for the response. */
const timeouts = { connect: 4, answer: 8 } as const;

/**
 * Returns the pod of a probe. The pod conforms to the level `restricted` of the Pod Security Standards, and mounts no
 * service account token. The container of the probe terminates after the calls.
 *
 * @param run a word that distinguishes the pods of this run from those of other runs
 * @param seconds value of the pod's `activeDeadlineSeconds`
 */
export function probePod(probe: Probe, image: string, run: string, seconds: number): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${probe.name}-${run}`,
      namespace: probe.namespace,
      labels: {
        "app.kubernetes.io/name": "meshops-verify",
        ...managedLabel,
        [probeLabel]: run,
        ...(probe.forged === true ? { [meshedLabel]: "linkerd" } : {}),
      },
      // Enable proxy-await, because the probe must wait for its proxy. The default in the cluster can be `disabled`.
      annotations: probe.meshed
        ? { [injectKey]: "enabled", "config.linkerd.io/proxy-await": "enabled" }
        : { [injectKey]: "disabled" },
    },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: seconds,
      serviceAccountName: probe.serviceAccount,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: probeContainer,
          image,
          command: ["sh", "-c", probeScript, "probe", ...probe.calls.flatMap(argumentsOf)],
          env: [
            { name: "CONNECT_SECONDS", value: String(timeouts.connect) },
            { name: "ANSWER_SECONDS", value: String(timeouts.answer) },
            { name: "PROXY_ADMIN", value: `127.0.0.1:${proxyPorts.admin}` },
            { name: "PROTO_VARIABLE", value: probe.protoVariable },
          ],
          resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "128Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        },
      ],
      volumes: [{ name: "tmp", emptyDir: {} }],
    },
  } satisfies V1Pod;
}

/** Returns the five arguments that describe a call to the probe script. */
function argumentsOf(call: Call): string[] {
  const { kind, name, address } = call;
  if (kind === "http") return [kind, name, address, call.path, ""];
  if (kind === "grpc") return [kind, name, address, call.method, call.request];
  if (kind === "http2") return [kind, name, address, call.grpc ? "application/grpc" : "text/plain", ""];
  if (kind === "tcp" || kind === "tls") return [kind, name, address, "", ""];
  return [kind, name, address, String(call.seconds), [call.method, ...call.endpoints].join(",")];
}

/**
 * Parses the results of a probe's calls from the probe's log. If the log contains no result for a call, the returned
 * map has no entry for this call.
 */
export function readProbe(log: string): Map<string, CallResult> {
  const lines = [...log.matchAll(/^meshops-probe (\S+) (\d+) (\S*)$/gm)];
  return new Map(
    lines.map(([, name = "", exit = "", output = ""]) => [
      name,
      { name, exit: Number(exit), output: Buffer.from(output, "base64").toString().trim() },
    ]),
  );
}
