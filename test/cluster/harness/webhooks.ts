import { createServer as createProxy, type Server } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Api, ApiObject } from "./api.ts";
import { TapApi } from "./tap-api.ts";

/** The request in an AdmissionReview. Contains only the fields that the stand-ins read. */
interface Review {
  readonly uid: string;
  readonly kind: { readonly kind: string };
  readonly namespace: string;
  readonly object: ApiObject;
}

/**
 * Stand-ins for Linkerd's webhooks. They are needed because the pods that kwok simulates do not serve requests. The
 * stand-ins are a proxy injector, validators that allow every object, and the tap API of linkerd-viz. The injector adds
 * the fields that meshops reads to recognize a meshed pod.
 *
 * The charts' webhook configurations are not changed. The API server calls Services of the cluster through a network
 * proxy (EgressSelectorConfiguration). This class implements the network proxy, which forwards the calls to the
 * stand-ins. The API server verifies host names and certificates as usual. The stand-ins use the certificates in the
 * generated Secrets. Calls to a Service without ready pods fail.
 */
export class Webhooks {
  readonly #api: Api;
  readonly #tls: Server;
  readonly #proxy: Server;
  readonly tap: TapApi;
  /** Loopback port of the stand-in for the kubelet; null if there is no such stand-in. */
  kubelet: number | null = null;
  /** Number of calls of each Service. The keys are `<service>.<namespace>`. */
  readonly calls: Map<string, number> = new Map();

  constructor(api: Api) {
    this.#api = api;
    this.tap = new TapApi(api);
    this.#tls = createServer({
      SNICallback: (name, done) => void this.#certificate(serviceOf(name)).then((found) => done(null, found), done),
    });
    this.#tls.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const service = serviceOf((request.socket as unknown as { servername: string }).servername);
        this.calls.set(service, (this.calls.get(service) ?? 0) + 1);
        // Closes the connection after each response. If the API server reused a connection, it would not verify a new
        // certificate of the webhook.
        response.setHeader("connection", "close");
        if (service.startsWith("tap.") && request.method === "POST") {
          void this.tap.answer(request, Buffer.concat(chunks), response);
          return;
        }
        this.#answer(service, request.url ?? "", Buffer.concat(chunks).toString()).then(
          (body) =>
            response.writeHead(body === null ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(body)),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      });
    });
    this.#proxy = createProxy();
    this.#proxy.on("connect", (request, socket, head: Buffer) => {
      socket.on("error", () => {});
      const [address = "", port] = (request.url ?? "").split(":");
      if (port === "10250" && this.kubelet !== null) return this.#join(socket, head, this.kubelet);
      this.#reachable(address)
        .then((reachable) =>
          reachable
            ? this.#join(socket, head, (this.#tls.address() as AddressInfo).port)
            : socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
        )
        .catch(() => socket.destroy()); // the API server does not run
    });
  }

  /** Starts the servers. @param socket path of the socket in the API server's egress configuration */
  async start(socket: string): Promise<void> {
    await new Promise<void>((resolve) => this.#tls.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => this.#proxy.listen(socket, resolve));
  }

  stop(): void {
    for (const server of [this.#proxy, this.#tls]) {
      server.closeAllConnections();
      server.close();
    }
  }

  /**
   * Forwards a connection of the API server to a port on loopback. This is either the port of the webhooks, or the port
   * of the stand-in for the kubelet.
   */
  #join(socket: Duplex, head: Buffer, port: number): void {
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
  }

  /** Whether an address belongs to a Service that has a ready pod. */
  async #reachable(address: string): Promise<boolean> {
    const services = await this.#api.list("/api/v1/services");
    const found = services.find(({ spec }) => spec.clusterIP === address);
    if (found === undefined) return false;
    const { name, namespace } = found.metadata;
    const slices = await this.#api.list(
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name=${name}`,
    );
    return slices.some(({ endpoints }) =>
      (endpoints ?? []).some(({ conditions }: { conditions?: { ready?: boolean } }) => conditions?.ready === true),
    );
  }

  async #certificate(service: string): Promise<SecureContext> {
    const [name = "", namespace = ""] = service.split(".");
    const secret = await this.#api.get(`/api/v1/namespaces/${namespace}/secrets/${name}-k8s-tls`);
    if (secret === null) throw new Error(`there is no Secret for ${service}`);
    const data = (key: string): string => Buffer.from(secret["data"][key], "base64").toString();
    return createSecureContext({ cert: data("tls.crt"), key: data("tls.key") });
  }

  async #answer(service: string, url: string, body: string): Promise<object | null> {
    if (service.startsWith("tap.")) return tapApi(url);
    const review = JSON.parse(body) as { apiVersion: string; request: Review };
    const patch = service.startsWith("linkerd-proxy-injector.") ? await this.#inject(review.request) : [];
    const patched =
      patch.length === 0 ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
    return {
      apiVersion: review.apiVersion,
      kind: "AdmissionReview",
      response: { uid: review.request.uid, allowed: true, ...patched },
    };
  }

  /**
   * Returns the JSON patch of the injector. The patch adds the proxy container with the current trust anchors, the
   * label of meshed pods, and the annotation with the version of the proxy. Returns an empty list if the pod needs no
   * proxy.
   */
  async #inject({ kind, namespace, object }: Review): Promise<object[]> {
    const own = object.metadata.annotations?.["linkerd.io/inject"];
    const inherited = (await this.#api.get(`/api/v1/namespaces/${namespace}`))?.metadata.annotations?.["linkerd.io/inject"];
    const containers = [...object["spec"].containers, ...(object["spec"].initContainers ?? [])] as { name: string }[];
    if (kind.kind !== "Pod" || (own ?? inherited) !== "enabled" || containers.some(({ name }) => name === "linkerd-proxy"))
      return [];
    const roots = await this.#api.get("/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots");
    const config = await this.#api.get("/api/v1/namespaces/linkerd/configmaps/linkerd-config");
    const version = /linkerdVersion: (\S+)/.exec(String(config?.["data"]?.values))?.[1] ?? "unknown";
    const env = [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: roots?.["data"]?.["ca-bundle.crt"] ?? "" }];
    const proxy = {
      name: "linkerd-proxy",
      image: `cr.l5d.io/linkerd/proxy:${version}`,
      env,
      ports: [{ name: "linkerd-proxy", containerPort: 4143 }],
    };
    return [
      { op: "add", path: "/spec/containers/0", value: proxy },
      ...["labels", "annotations"]
        .filter((field) => !(field in object.metadata))
        .map((field) => ({ op: "add", path: `/metadata/${field}`, value: {} })),
      { op: "add", path: "/metadata/labels/linkerd.io~1control-plane-ns", value: "linkerd" },
      { op: "add", path: "/metadata/annotations/linkerd.io~1proxy-version", value: version },
    ];
  }
}

/** Returns `<service>.<namespace>` for the host name of a Service. */
function serviceOf(host: string): string {
  return host.replace(/\.svc.*$/, "");
}

function tapApi(url: string): object | null {
  const resources = [{ name: "watch", singularName: "", namespaced: true, kind: "Tap", verbs: ["watch"] }];
  if (url.startsWith("/apis/tap.linkerd.io/v1alpha1"))
    return { kind: "APIResourceList", apiVersion: "v1", groupVersion: "tap.linkerd.io/v1alpha1", resources };
  return url.startsWith("/openapi/v2") ? { swagger: "2.0", info: { title: "tap", version: "v0" }, paths: {} } : null;
}
