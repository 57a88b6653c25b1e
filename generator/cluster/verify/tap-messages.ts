import protobuf from "protobufjs";

/**
 * Messages of Linkerd viz's tap API, with the fields that meshops uses. The field numbers and types are from linkerd2
 * edge-26.8.3 (viz/tap/proto/viz_tap.proto, viz/metrics-api/proto/viz.proto, proto/common/net.proto). The release
 * stable-2.14.10 has the same field numbers and types.
 */
const string = (id: number): { type: string; id: number } => ({ type: "string", id });
const labels = { fields: { labels: { keyType: "string", type: "string", id: 1 } } };

const root = protobuf.Root.fromJSON({
  nested: {
    Resource: { fields: { namespace: string(1), type: string(2), name: string(3) } },
    ResourceSelection: { fields: { resource: { type: "Resource", id: 1 }, labelSelector: string(2) } },
    Seq: { fields: { matches: { rule: "repeated", type: "Match", id: 1 } } },
    Match: { fields: { all: { type: "Seq", id: 1 } } },
    TapByResourceRequest: {
      fields: { target: { type: "ResourceSelection", id: 1 }, match: { type: "Match", id: 2 }, maxRps: { type: "float", id: 3 } },
    },
    Meta: labels,
    StreamId: { fields: { base: { type: "uint32", id: 1 }, stream: { type: "uint64", id: 2 } } },
    RequestInit: { fields: { id: { type: "StreamId", id: 1 }, authority: string(4), path: string(5) } },
    ResponseInit: { fields: { id: { type: "StreamId", id: 1 }, httpStatus: { type: "uint32", id: 3 } } },
    Http: { fields: { requestInit: { type: "RequestInit", id: 1 }, responseInit: { type: "ResponseInit", id: 2 } } },
    TapEvent: {
      fields: {
        http: { type: "Http", id: 3 },
        destinationMeta: { type: "Meta", id: 4 },
        sourceMeta: { type: "Meta", id: 5 },
        proxyDirection: { type: "uint32", id: 6 },
        routeMeta: { type: "Meta", id: 7 },
      },
    },
    ApiError: { fields: { error: string(1) } },
  },
});

export interface TapEvent {
  readonly http?: { readonly requestInit?: { readonly authority: string; readonly path: string } };
  readonly sourceMeta?: { readonly labels: Readonly<Record<string, string>> };
  readonly destinationMeta?: { readonly labels: Readonly<Record<string, string>> };
  readonly routeMeta?: { readonly labels: Readonly<Record<string, string>> };
  /** Direction of the proxy: 1 is inbound, 2 is outbound. */
  readonly proxyDirection?: number;
}

export interface TapTarget {
  readonly namespace: string;
  /** Kind of the target, in lower case and singular, such as `statefulset`. */
  readonly type: string;
  readonly name: string;
}

/**
 * Returns the path of the tap API for a target. The body of the request must specify the same target
 * (viz/tap/pkg/protohttp.go).
 */
export function tapPath({ namespace, type, name }: TapTarget): string {
  return `/apis/tap.linkerd.io/v1alpha1/watch/namespaces/${namespace}/${type}s/${name}/tap`;
}

export function encodeTapRequest(target: TapTarget, maxRps: number): Uint8Array {
  const type = root.lookupType("TapByResourceRequest");
  return type.encode(type.fromObject({ target: { resource: target }, match: { all: {} }, maxRps })).finish();
}

/** Returns the text of an error in the format of the tap API. */
export function decodeTapError(body: Buffer): string {
  const [first] = frames(body).messages;
  return first === undefined ? "no reason given" : (root.lookupType("ApiError").decode(first).toJSON()["error"] as string);
}

/**
 * Decodes the events in the chunks of a stream. Before each message, the stream contains the length of the message in 4
 * bytes, little-endian (pkg/protohttp).
 */
export class TapReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): TapEvent[] {
    const { messages, rest } = frames(Buffer.concat([this.#rest, chunk]));
    this.#rest = rest;
    const type = root.lookupType("TapEvent");
    return messages.map((message) => type.toObject(type.decode(message), { objects: true }) as TapEvent);
  }
}

function frames(buffer: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let offset = 0;
  while (buffer.length - offset >= 4) {
    const end = offset + 4 + buffer.readUInt32LE(offset);
    if (end > buffer.length) break;
    messages.push(buffer.subarray(offset + 4, end));
    offset = end;
  }
  return { messages, rest: buffer.subarray(offset) };
}
