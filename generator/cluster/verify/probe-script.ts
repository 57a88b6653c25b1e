/**
 * Script of a probe. Five arguments describe each call: kind, name, address, and two arguments that depend on the kind.
 * The script needs curl. Calls of the kinds `grpc` and `spread` also need grpcurl, Python with grpcio, and a .proto
 * file. $PROTO_VARIABLE contains the name of the environment variable with the path of the .proto file. The script
 * prints one line per call: name, exit code, and output in base64. If a call fails, the script continues with the next
 * call.
 */
export const probeScript: string = String.raw`
tmp=$(mktemp -d)
proto=
eval "proto=\${$PROTO_VARIABLE}"
report() { printf 'meshops-probe %s %s %s\n' "$1" "$2" "$(printf '%s' "$3" | base64 | tr -d '\n')"; }

http() { # name address path
  out=$(curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
    --include "http://$2$3" 2>&1)
  report "$1" $? "$out"
}

http2() { # name address content-type
  out=$(curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
    --http2-prior-knowledge --include --header "content-type: $3" --header 'te: trailers' --data-binary '' "http://$2/meshops.verify/None" 2>&1)
  report "$1" $? "$out"
}

# The pipe stays open for longer than the time limit, because curl ends the connection when its input ends. If curl reaches
# the time limit, the connection was open.
tcp() { # name address
  out=$(sleep 3 | curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time 2 \
    --write-out '\nconnected %{time_connect}' "telnet://$2" 2>&1 | tr -cd '[:print:]\n')
  report "$1" 0 "$out"
}

tls() { # name address
  out=$(curl --silent --show-error --noproxy '*' --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
    --insecure --include "https://$2/" 2>&1)
  report "$1" $? "$out"
}

grpc() { # name address method request
  out=$(grpcurl -plaintext -connect-timeout "$CONNECT_SECONDS" -max-time "$ANSWER_SECONDS" \
    -import-path "$(dirname "$proto")" -proto "$(basename "$proto")" -d "$4" "$2" "$3" 2>&1)
  report "$1" $? "$out"
}

spread() { # name address seconds method,endpoints
  python3 - "$2" "$3" "$4" "$ANSWER_SECONDS" "http://$PROXY_ADMIN/metrics" >"$tmp/calls" 2>&1 <<'PYTHON'
import re
import sys
import time
import urllib.request

import grpc

address, seconds, answer, metrics = sys.argv[1], float(sys.argv[2]), float(sys.argv[4]), sys.argv[5]
method, *pods = sys.argv[3].split(",")
endpoints = set(filter(None, pods))
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def counts():  # requests of this pod's proxy by answering pod; empty without a proxy
    try:
        text = direct.open(metrics, timeout=answer).read().decode()
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        pod = re.search(r'dst_pod="([^"]+)"', line)
        if pod and line.startswith("request_total{") and 'direction="outbound"' in line:
            found[pod[1]] = found.get(pod[1], 0) + float(line.rsplit(" ", 1)[1])
    return found


def answered():
    return {pod: count - before.get(pod, 0) for pod, count in counts().items() if count > before.get(pod, 0)}


def show(when, found):
    for pod, count in sorted(found.items()):
        print(f"{when} {pod} {count:.0f}")


before = counts()
calls, first, now = 0, None, {}
with grpc.insecure_channel(address) as channel:  # one connection for all of them
    check = channel.unary_unary(f"/{method}")
    begin = time.monotonic()
    try:
        while time.monotonic() - begin < seconds:
            for _ in range(5):
                check(b"", timeout=answer)
            calls += 5
            time.sleep(0.1)
            if time.monotonic() - begin < 1 or calls < 20:
                continue
            now = answered()
            if first is None:
                first = now
            if endpoints <= now.keys():
                break
    except grpc.RpcError as error:
        sys.exit(f"Message: {error.code().name}: {error.details()}")
show("first", first if first is not None else now)
show("all", answered())
PYTHON
  report "$1" $? "$(cat "$tmp/calls")"
}

while [ $# -ge 5 ]; do
  "$1" "$2" "$3" "$4" "$5"
  shift 5
done
rm -rf "$tmp"
`;
