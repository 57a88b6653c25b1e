import type { IncomingMessage, ServerResponse } from "node:http";
import protobuf from "protobufjs";
import type { Api } from "./api.ts";

/** A request to Alpha, with the fields that Alpha's proxy reports to clients of tap. */
export interface Seen {
  readonly pod: string;
  readonly path: string;
  readonly tls: string;
  readonly route: string | null;
}

/*
 * A stand-in for the tap server of linkerd-viz. Its code is based on linkerd2's viz/tap/api/handlers.go and
 * pkg/protohttp, and not on the tap client of meshops, which is tested. The stand-in asks the API server whether the
 * caller may watch the resource. It rejects a request whose body does not match its path. It streams events, each with
 * a length prefix.
 */
const { root } = protobuf.parse(
  `syntax = "proto3";
   message Resource { string namespace = 1; string type = 2; string name = 3; }
   message Selection { Resource resource = 1; }
   message Request { Selection target = 1; }
   message Labels { map<string, string> labels = 1; }
   message Init { string authority = 4; string path = 5; }
   message Http { Init request_init = 1; }
   message Event { Http http = 3; Labels destination_meta = 4; Labels source_meta = 5; uint32 proxy_direction = 6; Labels route_meta = 7; }
   message ApiError { string error = 1; }`,
  { keepCase: true },
);

export class TapApi {
  readonly #api: Api;
  readonly #watching: Set<ServerResponse> = new Set();
  /** Whether the Alpha pods can be tapped. Pods that started before the tap injector cannot be tapped. */
  enabled = true;

  constructor(api: Api) {
    this.#api = api;
  }

  async answer(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const [, , , , , , namespace = "", resource = "", name = ""] = path.split("/");
    const review = await this.#api.send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: request.headers["x-remote-user"],
        groups: String(request.headers["x-remote-group"] ?? "").split(", "),
        resourceAttributes: {
          namespace,
          name,
          resource,
          subresource: "tap",
          verb: "watch",
          group: "tap.linkerd.io",
          version: "v1alpha1",
        },
      },
    });
    if (review["status"].allowed !== true) {
      const error =
        "tap authorization failed (not authorized to access statefulsets.tap.linkerd.io), visit the docs for more information";
      response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify({ error }));
      return;
    }
    const asked = root.lookupType("Request").decode(body).toJSON()["target"].resource as Record<string, string>;
    const expected = `/apis/tap.linkerd.io/v1alpha1/watch/namespaces/${asked["namespace"]}/${asked["type"]}s/${asked["name"]}/tap`;
    if (expected !== path) return refuse(response, `tap request body did not match APIServer URL: "${expected}" != "${path}"`);
    if (!this.enabled)
      return refuse(
        response,
        `no pods to tap for type="${asked["type"]}" name="${asked["name"]}"\n3 pods found with tap not enabled:\nrestart these pods to enable tap`,
      );
    response.writeHead(200, { "content-type": "application/octet-stream" });
    // Like the real tap server, the stand-in sends the response headers together with the first event.
    this.#watching.add(response);
    response.on("close", () => this.#watching.delete(response));
  }

  report({ pod, path, tls, route }: Seen): void {
    const event = root.lookupType("Event");
    const message = event.fromObject({
      http: { request_init: { authority: "alpha", path } },
      source_meta: { labels: { pod, tls } },
      destination_meta: { labels: {} },
      route_meta: { labels: route === null ? {} : { route } },
      proxy_direction: 1,
    });
    const frame = framed(event.encode(message).finish());
    // Sends the frame in two chunks, because a network may also split a frame into several chunks.
    for (const response of this.#watching) for (const piece of [frame.subarray(0, 7), frame.subarray(7)]) response.write(piece);
  }
}

function refuse(response: ServerResponse, error: string): void {
  const type = root.lookupType("ApiError");
  response
    .writeHead(200, { "linkerd-error": "Not Found", "content-type": "application/octet-stream" })
    .end(framed(type.encode(type.fromObject({ error })).finish()));
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(message.length);
  return Buffer.concat([head, message]);
}
