import { randomUUID } from "node:crypto";
import { begun, type Call, notFound } from "./call.ts";
import { ok, type Reply, type Request, refuse } from "./http.ts";
import { digestOf, type State } from "./state.ts";

const type = "Microsoft.ContainerRegistry/registries";

/** Handles requests to Azure Resource Manager for a registry: create, read, delete, import images, build an image. */
export function registries(call: Call): Reply {
  const { state, base, id, rest, method, body } = call;
  const found = state.get(id);
  if (rest === "" && method === "PUT") {
    const { location, sku, tags } = body as { location: string; sku: unknown; tags: unknown };
    const host = new URL(base).host;
    const properties = { provisioningState: "Creating", loginServer: host };
    const made = state.put({ id, name: nameOf(id), type, location, sku, tags, properties });
    return begun(call, 201, made, () => (made.properties.provisioningState = "Succeeded"));
  }
  if (found === undefined) return method === "DELETE" ? { status: 204 } : notFound(call);
  switch (rest.toLowerCase().replace(/\/runs\/[^/]+/, "/runs/*")) {
    case "":
      if (method !== "DELETE") return ok(found);
      return begun(call, 202, undefined, () => {
        state.remove(id);
        for (const image of state.images.keys()) if (image.startsWith(`${nameOf(id)} `)) state.images.delete(image);
      });
    case "/importimage":
      return importImage(call);
    case "/listbuildsourceuploadurl": {
      const path = `source/${randomUUID()}.tar.gz`;
      return ok({ uploadUrl: `${base}/blobs/${path}?sig=none`, relativePath: path });
    }
    case "/schedulerun":
      return scheduleRun(call);
    case "/runs/*/listlogsasurl":
      return ok({ logLink: `${base}/blobs/log.txt?sig=none` });
    case "/runs/*":
      return run(rest.slice("/runs/".length));
    default:
      return refuse(404, "NotFound", `${method} ${id}${rest} is not modelled`);
  }
}

function importImage(call: Call): Reply {
  const { state, id, body } = call;
  const {
    registryUri = "docker.io",
    sourceImage,
    credentials,
  } = body["source"] as {
    registryUri?: string;
    sourceImage: string;
    credentials?: { username: string; password: string };
  };
  if (credentials !== undefined) state.logins.add(`${registryUri} ${credentials.username} ${credentials.password}`);
  const tags = body["targetTags"] as readonly string[];
  if (body["mode"] !== "Force" && tags.some((tag) => state.images.has(imageKey(id, tag))))
    return refuse(409, "Conflict", `Tag ${tags[0]} already exists in the target registry.`);
  return begun(call, 202, undefined, () => {
    for (const tag of tags) state.images.set(imageKey(id, tag), digestOf(`${registryUri}/${sourceImage}`));
  });
}

function scheduleRun({ state, id, body }: Call): Reply {
  const { sourceLocation, imageNames = [] } = body as { sourceLocation: string; imageNames?: readonly string[] };
  if (!state.uploads.has(sourceLocation)) return refuse(400, "InvalidSource", `${sourceLocation} was not uploaded.`);
  for (const image of imageNames) state.images.set(imageKey(id, image), digestOf(`built ${image}`));
  return run("ca1");
}

function run(name: string): Reply {
  return ok({
    name,
    type: `${type}/runs`,
    properties: { runId: name, status: "Succeeded", runType: "QuickBuild", provisioningState: "Succeeded" },
  });
}

/** Returns the log of a finished build. A client first requests the length of the log, and then its bytes. */
export function buildLog({ method }: Request): Reply {
  const text = "Run ID: ca1 was successful\r\n";
  const headers = {
    etag: '"0x1"',
    "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    "x-ms-blob-type": "AppendBlob",
    "x-ms-meta-Complete": "successful",
    "content-length": String(text.length),
    "content-type": "text/plain",
  };
  if (method === "HEAD") return { status: 200, headers };
  return { status: 206, text, headers: { ...headers, "content-range": `bytes 0-${text.length - 1}/${text.length}` } };
}

/**
 * Handles requests to the login server of the registries: tokens, the list of repositories, and the lists of tags. All
 * registries have the same login server. Returns null for any other request.
 */
export function registryData({ path, method }: Request, state: State, base: string): Reply | null {
  if (path === "/v2") {
    const challenge = `Bearer realm="${base}/oauth2/token",service="${new URL(base).host}"`;
    return { status: 401, body: { errors: [{ code: "UNAUTHORIZED" }] }, headers: { "www-authenticate": challenge } };
  }
  if (path === "/oauth2/exchange") return ok({ refresh_token: token });
  if (path === "/oauth2/token") return ok({ access_token: token });
  const images = [...state.images].map(([key, digest]) => [...key.split(/[ :]/), digest] as const);
  if (path === "/v2/_catalog") return ok({ repositories: [...new Set(images.map(([, repository]) => repository))].sort() });
  const [, repository] = /^\/acr\/v1\/(.+)\/_tags$/.exec(path) ?? [];
  if (repository === undefined || method !== "GET") return null;
  const tags = images.filter(([, name]) => name === repository).map(([, , tag, digest]) => ({ name: tag, digest }));
  if (tags.length > 0) return ok({ imageName: repository, tags });
  return {
    status: 404,
    body: { errors: [{ code: "NAME_UNKNOWN", message: `repository name ${repository} not known to registry` }] },
  };
}

/** A JWT with an expiry time. Clients read the expiry time. The signature is empty, because no program checks it. */
const token = ["{}", JSON.stringify({ exp: 4102444800, sub: "stand-in" }), ""]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");

function imageKey(registry: string, image: string): string {
  return `${nameOf(registry)} ${image}`;
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1).toLowerCase();
}
