import { dgraphPorts } from "../../catalog/dgraph.ts";
import { push, type Step } from "../change-rule.ts";
import { indices, inPod, memberName, type RunningDgraph } from "./members.ts";

/**
 * Directories in the pods for the export and for the import. The export does not use the default export directory of
 * Dgraph, because the default directory can contain older exports.
 */
const exported = "/dgraph/meshops-export";
const imported = "/dgraph/meshops-import";

/**
 * Data formats of the Dgraph releases that answer a request for an export only when the export is complete (dgraph
 * v22.0.2, graphql/admin/export.go). Later releases create a task for the export, and answer immediately.
 */
const answersAtTheEnd: readonly string[] = ["v21", "v22"];

/**
 * Returns the steps that move the data to a new Helm release of Dgraph, for example to change the version. In these
 * steps, the user exports the data from the running Alphas, installs a new Helm release with empty volumes, and imports
 * the data (docs.dgraph.io, "Upgrade Database"). The old volumes are kept, so the old version can be installed again.
 *
 * @param next Helm release after the change; if `old` has the same name and namespace, the steps ask the user to choose
 *   a new release name
 * @param dataFormat data format of the running version; undefined if the version is unknown
 */
export function moveData(
  old: RunningDgraph,
  next: Pick<RunningDgraph, "release" | "namespace">,
  dataFormat: string | undefined,
): Step[] {
  const { namespace, release } = old;
  const same = next.release === release && next.namespace === namespace;
  const target = { ...old, ...next, ...(same ? { release: `${release}-new` } : {}) };
  return [
    ...exportSteps(old, dataFormat, next.namespace === namespace),
    ...(same
      ? [
          {
            text: `In the spec, change dgraph.chart, and set dgraph.release to a new name, such as ${target.release}. Then run meshops generate and commit the files.`,
          },
        ]
      : []),
    push,
    ...(same
      ? [
          {
            text: "If you install with helmfile, uninstall the old release after helmfile sync.",
            command: `helm uninstall ${release} --namespace ${namespace}`,
          },
        ]
      : []),
    { text: "Wait until the new Dgraph is ready. Its pods start with empty volumes, and the old volumes are kept." },
    ...importSteps(target),
    {
      text: `Check that the new Dgraph contains all data. Change the address of Dgraph in your clients to ${memberName(target, "alpha")}.${target.namespace}, and start the clients again.`,
    },
    ...(target.namespace === namespace
      ? []
      : [
          {
            text: "Uninstall the old Dgraph. Flux does not remove it (prune: disabled). The old volumes are kept.",
            command: `kubectl delete helmrelease dgraph --namespace ${namespace}`,
          },
        ]),
    {
      text: "Delete the old volumes when you no longer need them.",
      phase: "last",
      command: `kubectl delete pvc --namespace ${namespace} --selector app=dgraph,release=${release}`,
    },
  ];
}

/**
 * Returns the steps of the export. Each group of Alphas writes its data and its schemas on one member of the group
 * (dgraph v24.1.4, worker/export.go).
 *
 * @param isReplaced whether Flux uninstalls the old Dgraph as soon as the user pushes the commit
 */
function exportSteps(old: RunningDgraph, dataFormat: string | undefined, isReplaced: boolean): Step[] {
  const admin = (query: string): string =>
    `${inPod(old, "alpha", 0)} curl -sS -H "Content-Type: application/graphql" localhost:${dgraphPorts.alpha.http}/admin -d '${query}'`;
  const waits = dataFormat !== undefined && answersAtTheEnd.includes(dataFormat);
  const start = `mutation { export(input: {format: "rdf", destination: "${exported}"}) { response { code message }${waits ? "" : " taskId"} } }`;
  const name = memberName(old, "alpha");
  return [
    {
      text: isReplaced
        ? "Announce an outage of all clients of Dgraph. After the push, Flux uninstalls the old Dgraph, and the clients need the new address. Then stop all clients that write data."
        : "Stop all clients that write data.",
    },
    {
      text: waits
        ? "Start an export. The answer arrives when the export is complete."
        : "Start an export. The answer contains the ID of the export task.",
      command: admin(start),
    },
    ...(waits
      ? []
      : [
          {
            text: "Repeat this command with the ID of the export task until the status is Success.",
            command: admin('{ task(input: {id: "<taskId>"}) { kind status } }'),
          },
        ]),
    {
      text: "Copy the export. Each group of Alphas writes its part of the export on one member. For the other members, the command prints an error, which you can ignore.",
      command: `for i in ${indices(old.alphas)}; do kubectl cp ${name}-$i:${exported} dgraph-export --namespace ${old.namespace} --container ${name}; done`,
    },
    {
      text: "Check that the files are complete, and that each group has the files gNN.rdf.gz, gNN.schema.gz and gNN.gql_schema.gz.",
      command: `find dgraph-export -type f -name "*.gz" -print -exec gzip -t {} \\;`,
    },
  ];
}

/**
 * Returns the steps of the import. The steps use curl, gzip and jq, which Dgraph's image contains (dgraph,
 * contrib/Dockerfile).
 */
function importSteps(target: RunningDgraph): Step[] {
  const name = memberName(target, "alpha");
  const { alpha, zero } = dgraphPorts;
  const load = `for f in $(find ${imported} -name "*.rdf.gz"); do dgraph live --files $f --schema $(dirname $f)/$(basename $f .rdf.gz).schema.gz --alpha localhost:${alpha.grpc} --zero ${memberName(target, "zero")}:${zero.internal}; done`;
  const graphql = `for f in $(find ${imported} -name "*.gql_schema.gz"); do gzip -dc $f | jq -r ".[].schema" | grep . > /tmp/graphql && curl -sS --data-binary @/tmp/graphql localhost:${alpha.http}/admin/schema; done`;
  return [
    {
      text: "Copy the export into an Alpha.",
      command: `kubectl cp dgraph-export ${name}-0:${imported} --namespace ${target.namespace} --container ${name}`,
    },
    { text: "Import the data.", command: `${inPod(target, "alpha", 0)} sh -c '${load}'` },
    {
      text: "Import the GraphQL schema, if the export contains one.",
      command: `${inPod(target, "alpha", 0)} sh -c '${graphql}'`,
    },
  ];
}
