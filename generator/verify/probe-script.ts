/**
 * What a probe runs, with calls as arguments, five words each: kind, name, address, and two that depend on the kind. Needs curl with
 * HTTP/2, grpcurl and the api.proto at $DGRAPH_PROTO: see clients/pydgraph. For each call one line: its name, the exit code, and the
 * output in base64. A call that fails does not end the others.
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

spread() { # name address calls: an empty message is five zero bytes; fragments make many URLs of one
  printf '\000\000\000\000\000' >"$tmp/frame"
  curl --silent --noproxy '*' "http://$PROXY_ADMIN/metrics" >"$tmp/before"
  curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time 30 --http2-prior-knowledge \
    --header 'content-type: application/grpc' --header 'te: trailers' --data-binary "@$tmp/frame" \
    --output /dev/null --write-out 'connections %{num_connects}\n' "http://$2/api.Dgraph/CheckVersion#[1-$3]" >"$tmp/calls" 2>&1
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
