"""A gRPC server that implements the service `api.Dgraph`, for tests of clients.

The server supports transactions, aborts, errors, TLS and mutual TLS. It prints its port, and then one line of JSON per
call. With --fault NAME=COUNT, it causes the fault NAME in the first COUNT calls to which the fault applies.
"""

import argparse
import json
import re
import sys
import threading
from concurrent import futures

import grpc
from pydgraph.proto import api_pb2, api_pb2_grpc

QUAD = re.compile(r'\s*(\S+)\s+<([^>]+)>\s+("(?:\\.|[^"\\])*"\S*|\S+)\s*\.')


class Dgraph(api_pb2_grpc.DgraphServicer):
    def __init__(self, faults):
        self.faults = faults
        self.lock = threading.Lock()
        self.triples, self.pending, self.schema = [], {}, ""
        self.next_uid = self.next_ts = 1

    def report(self, call, **more):
        print(json.dumps({"call": call, "triples": len(self.triples), **more}), flush=True)

    def fails(self, name):
        left = self.faults.get(name, 0)
        self.faults[name] = left - 1
        return left > 0

    def CheckVersion(self, request, context):
        if self.fails("unavailable"):
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        self.report("CheckVersion")
        return api_pb2.Version(tag="v25.0.0-test")

    def Alter(self, request, context):
        if self.fails("indexing"):
            context.abort(grpc.StatusCode.UNKNOWN, "opIndexing is already running")
        if request.drop_all:
            self.triples.clear()
        self.schema = request.schema or self.schema
        self.report("Alter", dropAll=request.drop_all, schema=request.schema[:40])
        return api_pb2.Payload()

    def Query(self, request, context):
        with self.lock:
            ts = request.start_ts or self.next_ts
            self.next_ts += 1
            uids, new = {}, []
            for mutation in request.mutations:
                for number, line in enumerate(mutation.set_nquads.decode().splitlines(), 1):
                    quad = QUAD.match(line)
                    if quad is None:
                        context.abort(grpc.StatusCode.UNKNOWN, f"while lexing {line} at line {number}")
                    new.append(tuple(self.uid(term, uids) for term in quad.groups()))
            self.pending.setdefault(ts, []).extend(new)
            self.report("Query", quads=len(new))
            return api_pb2.Response(uids=uids, txn=api_pb2.TxnContext(start_ts=ts, keys=["k"], preds=["1-p"]))

    def uid(self, term, uids):
        if not term.startswith("_:"):
            return term
        if term[2:] not in uids:
            uids[term[2:]] = hex(self.next_uid)
            self.next_uid += 1
        return f"<{uids[term[2:]]}>"

    def CommitOrAbort(self, request, context):
        with self.lock:
            new = self.pending.pop(request.start_ts, [])
            if request.aborted:
                return api_pb2.TxnContext(start_ts=request.start_ts, aborted=True)
            if self.fails("abort"):
                self.report("abort")
                context.abort(grpc.StatusCode.ABORTED, "Transaction has been aborted. Please retry")
            self.triples.extend(triple for triple in new if triple not in self.triples)
            self.report("commit")
            if self.fails("lost"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
            return api_pb2.TxnContext(start_ts=request.start_ts, commit_ts=self.next_ts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", action="append", default=[])
    for name in ("cert", "key", "client-ca"):
        parser.add_argument(f"--{name}")
    options = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    faults = {name: int(count) for name, count in (fault.split("=") for fault in options.fault)}
    api_pb2_grpc.add_DgraphServicer_to_server(Dgraph(faults), server)
    if options.cert is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        read = lambda path: open(path, "rb").read()
        ca = None if options.client_ca is None else read(options.client_ca)
        secured = grpc.ssl_server_credentials([(read(options.key), read(options.cert))], ca, ca is not None)
        port = server.add_secure_port("127.0.0.1:0", secured)
    server.start()
    print(port, flush=True)
    sys.stdin.read()  # ends when the parent process closes stdin
    server.stop(None)


main()
