/** A gRPC service, as a .proto file defines it. */
export interface GrpcService {
  /** Full name, with its package: `api.Dgraph`. */
  readonly name: string;
  readonly methods: readonly GrpcMethod[];
}

export interface GrpcMethod {
  readonly name: string;
  /** Whether either side sends more than one message. */
  readonly streaming: boolean;
  /** Whether a repeated call does what a single one does (protobuf's `idempotency_level`). */
  readonly idempotent: boolean;
}
