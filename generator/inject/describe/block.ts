import { Document } from "yaml";
import type { DescribedSet, Description } from "./describe.ts";
import type { DescribedPort } from "./described-ports.ts";

/**
 * Returns the block of a workload for `spec.workloads`, as lines of YAML. The first level of the block has no
 * indentation. If the manifests do not specify a value, the block contains a guess. The comment above a guess contains
 * the reason for the guess.
 */
export function blockOf({ name, namespace, source, sets, notes }: Description): string[] {
  return [
    ...notes.map(({ message, fix }) => `# note: ${message}; ${fix}`),
    `${name}:`,
    ...below([
      `namespace: ${flow(namespace)}`,
      ...(source === null ? [] : [`source: ${flow(source)}`]),
      ...(sets.length === 0
        ? []
        : ["pods:", ...below(sets.flatMap((set) => [`${set.key}:`, ...below(linesOf(set, source !== null))]))]),
    ]),
  ];
}

function linesOf(set: DescribedSet, delivered: boolean): string[] {
  const { workload, selector, serviceAccountName, inject, skipInboundPorts, ports, guesses } = set;
  const { kind, name } = workload.manifest;
  return [
    `workloadRef: ${flow({ kind, name })}`,
    ...guess(guesses.selector),
    `selector: ${flow({ matchLabels: selector })}`,
    ...(serviceAccountName === "default"
      ? ["# guess: no service account is set; all pods without a service account use `default`"]
      : []),
    `serviceAccountName: ${flow(serviceAccountName)}`,
    ...guess(guesses.inject),
    ...(inject === null ? [] : [`inject: ${inject}`]),
    ...(skipInboundPorts === null ? [] : [`proxy: ${flow({ "skip-inbound-ports": skipInboundPorts })}`]),
    ...(delivered && set.services.length > 0 ? [`services: ${flow(set.services.map((each) => each.name))}`] : []),
    ...(ports.length === 0 || set.unmeshed ? [] : portLines(set, delivered)),
  ];
}

function portLines({ ports, clients, services }: DescribedSet, delivered: boolean): string[] {
  const probed = ports.filter(({ guardedProbe }) => guardedProbe !== null);
  const inServices: Readonly<Record<string, number>> = delivered ? Object.assign({}, ...services.map((each) => each.ports)) : {};
  const line = ({ key, port, protocol }: DescribedPort): string => {
    const { [key]: servicePort } = inServices;
    return `${key}: ${flow({ port, ...(servicePort === undefined ? {} : { servicePort }), protocol })}`;
  };
  return [
    "ports:",
    ...below(ports.flatMap((each) => [...guess(each.guess), line(each)])),
    ...probed.map(
      ({ key, guardedProbe }) =>
        `# Linkerd does not automatically allow this probe (${guardedProbe}); before you set mode: enforce, add the client "probes: ${flow({ builtin: "kubelet", ports: [key] })}"`,
    ),
    ...ports
      .filter(({ isWebhook }) => isWebhook)
      .map(
        ({ key }) =>
          `# the API server calls webhooks without a mesh identity; before you set mode: enforce, add the client "webhooks: ${flow({ builtin: "apiServer", ports: [key] })}"`,
      ),
    "access:",
    ...below([
      "mode: audit",
      ...(clients.length === 0
        ? ["# guess: no client was found in the manifests"]
        : [
            "clients:",
            ...below(
              clients.flatMap(({ key, workload, ports: only, guess: why }) => [
                ...guess(why),
                `${key}: ${flow(only === null ? { workload } : { workload, ports: only })}`,
              ]),
            ),
          ]),
    ]),
  ];
}

function guess(why: string | null): string[] {
  return why === null ? [] : [`# guess: ${why}`];
}

function below(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Returns a value as one line of YAML in flow style, such as `{port: 8080, protocol: HTTP/1}`. */
function flow(value: unknown): string {
  return new Document(value).toString({ collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trim();
}
