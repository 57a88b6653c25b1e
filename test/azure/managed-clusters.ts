import { begun, type Call, notFound } from "./call.ts";
import { ok, type Reply, refuse } from "./http.ts";
import { account } from "./state.ts";

/** Handles requests for an AKS cluster: create, update, read, delete, and list its credentials. */
export function managedClusters(call: Call): Reply {
  const { state, id, rest, method, body } = call;
  const found = state.get(id);
  if (rest === "" && method === "PUT") return put(call, found?.properties);
  if (found === undefined) return method === "DELETE" ? { status: 204 } : notFound(call);
  switch (rest.toLowerCase()) {
    case "":
      if (method !== "DELETE") return ok(found);
      found.properties.provisioningState = "Deleting";
      return begun(call, 202, undefined, () => {
        state.remove(id);
        state.remove(nodeGroup(id, String(found.location)));
      });
    case "/listclusterusercredential":
      return ok({
        kubeconfigs: [{ name: "clusterUser", value: Buffer.from(JSON.stringify(kubeconfig(found.name))).toString("base64") }],
      });
    default:
      return refuse(404, "NotFound", `${method} ${id}${rest} is not modelled, body ${JSON.stringify(body)}`);
  }
}

function put(call: Call, before: object | undefined): Reply {
  const { state, id, body } = call;
  const {
    location,
    tags,
    sku = { name: "Base", tier: "Free" },
    properties,
  } = body as {
    location: string;
    tags: unknown;
    sku?: unknown;
    properties: Record<string, unknown> & { agentPoolProfiles?: { count: number }[] };
  };
  const nodes = (properties.agentPoolProfiles ?? []).reduce((sum, { count }) => sum + count, 0);
  if (nodes > 100)
    return refuse(
      400,
      "ErrCode_InsufficientVCPUQuota",
      `Insufficient regional vcpu quota left for location ${location}: requested ${nodes * 2}.`,
    );
  const group = nodeGroup(id, location);
  const made = state.put({
    id,
    name: id.slice(id.lastIndexOf("/") + 1),
    type: "Microsoft.ContainerService/ManagedClusters",
    location,
    tags,
    sku,
    properties: {
      ...properties,
      provisioningState: before === undefined ? "Creating" : "Updating",
      currentKubernetesVersion: properties["kubernetesVersion"],
      fqdn: "localhost",
      nodeResourceGroup: group.slice(group.lastIndexOf("/") + 1),
      identityProfile: {
        kubeletidentity: { objectId: account.kubelet, clientId: account.kubelet, resourceId: `${group}/identity` },
      },
    },
  });
  state.put({
    id: group,
    name: group.slice(group.lastIndexOf("/") + 1),
    type: "Microsoft.Resources/resourceGroups",
    location,
    properties: {},
  });
  const reply = begun(call, 201, made, () => (made.properties.provisioningState = "Succeeded"));
  return { ...reply, status: before === undefined ? 201 : 200 };
}

function nodeGroup(id: string, location: string): string {
  const [, , subscription, , group, , , , name] = id.split("/");
  return `/subscriptions/${subscription}/resourceGroups/MC_${group}_${name}_${location}`;
}

function kubeconfig(name: string): object {
  const user = `clusterUser_${name}`;
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: "https://localhost:1" } }],
    users: [{ name: user, user: { token: "a-token-of-the-cluster" } }],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
  };
}
