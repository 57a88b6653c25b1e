/** A gRPC service as defined in a .proto file. */
export interface GrpcService {
  /** Full name of the service, including the package, such as `api.Dgraph`. */
  readonly name: string;
  readonly methods: readonly GrpcMethod[];
}

export interface GrpcMethod {
  readonly name: string;
  /** Whether the client or the server sends more than one message. */
  readonly streaming: boolean;
  /** Whether repeated calls have the same effect as a single call (protobuf's `idempotency_level`). */
  readonly idempotent: boolean;
}
