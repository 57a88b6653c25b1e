/**
 * What a probe runs, with calls as arguments, five words each: kind, name, address, and two that depend on the kind. Needs curl,
 * grpcurl and the api.proto at $DGRAPH_PROTO, and Python with grpcio: see clients/pydgraph. For each call one line: its name, the
 * exit code, and the output in base64. A call that fails does not end the others.
 */
export const probeScript: string = String.raw`
tmp=$(mktemp -d)
tell() { printf 'meshops-probe %s %s %s\n' "$1" "$2" "$(printf '%s' "$3" | base64 | tr -d '\n')"; }

http() { # name address path
  out=$(curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
    --include "http://$2$3" 2>&1)
  tell "$1" $? "$out"
}

grpc() { # name address method request
  out=$(grpcurl -plaintext -connect-timeout "$CONNECT_SECONDS" -max-time "$ANSWER_SECONDS" \
    -import-path "$(dirname "$DGRAPH_PROTO")" -proto "$(basename "$DGRAPH_PROTO")" -d "$4" "$2" "$3" 2>&1)
  tell "$1" $? "$out"
}

spread() { # name address calls
  curl --silent --noproxy '*' "http://$PROXY_ADMIN/metrics" >"$tmp/before"
  python3 - "$2" "$3" "$ANSWER_SECONDS" >"$tmp/calls" 2>&1 <<'PYTHON'
import sys
import grpc

address, calls, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with grpc.insecure_channel(address) as channel:  # one connection for all of them
    check = channel.unary_unary("/api.Dgraph/CheckVersion")
    try:
        for _ in range(calls):
            check(b"", timeout=seconds)
    except grpc.RpcError as error:
        sys.exit(f"Message: {error.code().name}: {error.details()}")
PYTHON
  exit=$?
  curl --silent --noproxy '*' "http://$PROXY_ADMIN/metrics" >"$tmp/after"
  for when in before after; do
    grep '^request_total{.*direction="outbound"' "$tmp/$when" | grep 'dst_pod=' | sed "s/^/$when /"
  done >>"$tmp/calls"
  tell "$1" $exit "$(cat "$tmp/calls")"
}

while [ $# -ge 5 ]; do
  "$1" "$2" "$3" "$4" "$5"
  shift 5
done
rm -rf "$tmp"
`;
