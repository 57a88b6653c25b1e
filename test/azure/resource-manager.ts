import { begun, type Call } from "./call.ts";
import { ok, type Reply, type Request, refuse } from "./http.ts";
import { managedClusters } from "./managed-clusters.ts";
import { registries } from "./registries.ts";
import { account, type State } from "./state.ts";

const subscription = `/subscriptions/${account.subscription}`;

/** Handles the requests that az sends to Azure Resource Manager for the scripts. Returns null for any other request. */
export function resourceManager(request: Request, state: State, base: string): Reply | null {
  const { path, method } = request;
  const call = (pattern: RegExp): Call | null => {
    const found = new RegExp(`^(${subscription}${pattern.source})(/.*)?$`, "i").exec(path);
    return found === null ? null : { ...request, state, base, id: found[1] ?? "", rest: found.at(-1) ?? "" };
  };
  if (path === "/tenants") return ok({ value: [{ tenantId: account.tenant, displayName: "stand-in" }] });
  if (path === "/subscriptions") return ok({ value: [subscriptionObject] });
  if (path === subscription) return ok(subscriptionObject);
  if (!path.startsWith("/subscriptions/")) return null;
  if (!path.startsWith(`${subscription}/`))
    return refuse(404, "SubscriptionNotFound", `The subscription of ${path} could not be found.`);

  const authorization = /^(.*)\/providers\/Microsoft\.Authorization\/(roleDefinitions|roleAssignments)(?:\/([^/]+))?$/i.exec(
    path,
  );
  if (authorization !== null) return authorize(request, state, authorization);
  if (path === `${subscription}/providers`)
    return ok({ value: [...state.providers.keys()].map((name) => providerObject(name, state)) });
  const provider = call(/\/providers\/([^/]+)/);
  if (provider !== null && ["", "/register"].includes(provider.rest)) return resourceProvider(provider);
  if (path === `${subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability`)
    return nameAvailability(request, state);
  if (/\/kubernetesVersions$/i.test(path)) return ok({ values: kubernetesVersions });
  if (path === `${subscription}/providers/Microsoft.ContainerRegistry/registries`)
    return ok({ value: [...state.resources.values()].filter(({ type }) => type.endsWith("/registries")) });
  if (path === `${subscription}/resources`) return ok({ value: filtered(state, request.query.get("$filter") ?? "") });

  const group = call(/\/resourceGroups\/[^/]+/);
  if (group === null) return null;
  if (group.rest === "") return resourceGroup(group);
  if (state.get(group.id) === undefined) return groupMissing(group.id);
  if (group.rest === "/resources" && method === "GET") return ok({ value: state.below(group.id).filter(isTracked) });
  const registry = call(/\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/registries\/[^/]+/);
  if (registry !== null) return registries(registry);
  const cluster = call(/\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerService\/managedClusters\/[^/]+/);
  return cluster === null ? null : managedClusters(cluster);
}

function resourceGroup(call: Call): Reply {
  const { state, id, method, body } = call;
  const found = state.get(id);
  switch (method) {
    case "PUT": {
      if (found !== undefined && found.location !== body["location"])
        return refuse(409, "InvalidResourceGroupLocation", `The resource group already exists in location '${found.location}'.`);
      const { location, tags } = body as { location: string; tags?: unknown };
      const made = { id, name: last(id), type: "Microsoft.Resources/resourceGroups", location, tags };
      return ok(state.put({ ...made, properties: { provisioningState: "Succeeded" } }), found === undefined ? 201 : 200);
    }
    case "DELETE": {
      if (found === undefined) return groupMissing(id);
      found.properties.provisioningState = "Deleting";
      return begun(call, 202, undefined, () => state.remove(id));
    }
    default:
      return found === undefined ? groupMissing(id) : ok(found, method === "HEAD" ? 204 : 200);
  }
}

function groupMissing(id: string): Reply {
  return refuse(404, "ResourceGroupNotFound", `Resource group '${last(id)}' could not be found.`);
}

/** Handles requests for a resource provider. The first read after a registration still returns `Registering`. */
function resourceProvider({ state, id, rest, method }: Call): Reply {
  const name = last(id);
  if (method === "POST" && rest === "/register" && !state.providers.has(name)) {
    state.providers.set(name, "Registering");
    return ok({ id, namespace: name, registrationState: "Registering" });
  }
  return ok(providerObject(name, state));
}

function providerObject(name: string, state: State): object {
  const registrationState = state.providers.get(name) ?? "NotRegistered";
  if (registrationState === "Registering") state.providers.set(name, "Registered");
  return { id: `${subscription}/providers/${name}`, namespace: name, registrationState, resourceTypes: [] };
}

function nameAvailability({ body }: Request, state: State): Reply {
  const name = String(body["name"]).toLowerCase();
  const taken = name.startsWith("taken") || [...state.resources.keys()].some((id) => id.endsWith(`/registries/${name}`));
  if (!taken) return ok({ nameAvailable: true });
  return ok({ nameAvailable: false, reason: "AlreadyExists", message: `The registry ${name} is already in use.` });
}

/** Handles role definitions and role assignments. */
function authorize(
  { method, body, query }: Request,
  state: State,
  [path = "", scope = "", kind, name]: readonly (string | undefined)[],
): Reply {
  if (kind?.toLowerCase() === "roledefinitions") return ok(name === undefined ? { value: [acrPull] } : acrPull);
  const all = state.below(scope).filter(({ type }) => type.endsWith("/roleAssignments"));
  if (name === undefined) {
    const principal = /'([^']+)'/.exec(query.get("$filter") ?? "")?.[1];
    return ok({ value: all.filter(({ properties }) => principal === undefined || properties["principalId"] === principal) });
  }
  if (method === "DELETE") {
    const found = state.get(path);
    state.remove(path);
    return found === undefined ? { status: 204 } : ok(found);
  }
  if (method !== "PUT") return state.get(path) === undefined ? refuse(404, "RoleAssignmentNotFound", name) : ok(state.get(path));
  const { principalId, roleDefinitionId } = body["properties"] as { principalId: string; roleDefinitionId: string };
  if (
    all.some(({ properties }) => properties["principalId"] === principalId && properties["roleDefinitionId"] === roleDefinitionId)
  )
    return refuse(409, "RoleAssignmentExists", "The role assignment already exists.");
  const type = "Microsoft.Authorization/roleAssignments";
  return ok(state.put({ id: path, name, type, properties: { principalId, roleDefinitionId, scope } }), 201);
}

/**
 * Returns the resources that match a filter such as `resourceType eq 'x' and name eq 'y'`. Role assignments and
 * resource groups are not included.
 */
function filtered(state: State, filter: string): object[] {
  const wanted = new Map(
    [...filter.matchAll(/(\w+) eq '([^']*)'/g)].map(([, field = "", value = ""]) => [field.toLowerCase(), value.toLowerCase()]),
  );
  return [...state.resources.values()].filter(
    (resource) =>
      isTracked(resource) &&
      (wanted.get("resourcetype") ?? resource.type.toLowerCase()) === resource.type.toLowerCase() &&
      (wanted.get("name") ?? resource.name.toLowerCase()) === resource.name.toLowerCase(),
  );
}

function isTracked({ type }: { readonly type: string }): boolean {
  return !/\/(roleAssignments|resourceGroups)$/i.test(type);
}

function last(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

const subscriptionObject = {
  id: subscription,
  subscriptionId: account.subscription,
  tenantId: account.tenant,
  displayName: "stand-in",
  state: "Enabled",
};

const acrPullId = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const acrPull = {
  id: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${acrPullId}`,
  name: acrPullId,
  type: "Microsoft.Authorization/roleDefinitions",
  properties: { roleName: "AcrPull", type: "BuiltInRole", assignableScopes: ["/"], permissions: [] },
};

const kubernetesVersions = ["1.36", "1.35", "1.34", "1.33", "1.30"].map((version) => ({
  version,
  isDefault: version === "1.34",
  isPreview: version === "1.36" ? true : null,
  capabilities: { supportPlan: ["KubernetesOfficial"] },
  patchVersions: { [`${version}.2`]: { upgrades: [] } },
}));
