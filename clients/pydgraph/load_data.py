#!/usr/bin/env python3
"""Loads a schema and N-Quads into Dgraph over gRPC.

Exit codes: 0 all of it is in; 1 Dgraph refused, or did not answer; 2 wrong usage; 3 a file is missing.
stdout gets one line that says what was loaded, stderr everything else.
"""

import argparse
import os
import sys

import grpc
import pydgraph

from nquads import BatchError, Loader, batches


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="Load a schema and N-Quads into Dgraph over gRPC.")
    server = os.environ.get("DGRAPH_ALPHA_SERVER")
    parser.add_argument(
        "--alpha",
        metavar="HOST[:PORT]",
        default=server,
        required=server is None,
        help="an Alpha's gRPC address; port 9080 unless said otherwise (default: $DGRAPH_ALPHA_SERVER)",
    )
    parser.add_argument("--plaintext", action="store_true", help="no TLS of the client's own, as inside a mesh")
    parser.add_argument("--tls-cacert", metavar="FILE", help="CA of the server's certificate (default: the system's)")
    parser.add_argument("--tls-cert", metavar="FILE", help="the client's certificate, for mutual TLS")
    parser.add_argument("--tls-key", metavar="FILE", help="the client's private key")
    parser.add_argument("--schema", metavar="FILE", help="DQL schema to set first")
    parser.add_argument(
        "--files", metavar="FILE", nargs="+", default=[], help="N-Quads, plain or .gz; blank nodes are shared among them"
    )
    parser.add_argument("--drop-all", action="store_true", help="first delete ALL data and schema of the server")
    for option, value, what in (
        ("--batch", 1000, "N-Quads in a transaction"),
        ("--retries", 8, "tries of a transaction"),
        ("--timeout", 30, "seconds that one call may take"),
    ):
        parser.add_argument(option, metavar="N", type=positive, default=value, help=f"{what} (default: %(default)s)")
    options = parser.parse_args(arguments)
    own_tls = [options.tls_cacert, options.tls_cert, options.tls_key]
    if options.plaintext and any(own_tls):
        parser.error("--plaintext and --tls-… exclude each other")
    if (options.tls_cert is None) != (options.tls_key is None):
        parser.error("--tls-cert and --tls-key go together")
    if not (options.schema or options.files or options.drop_all):
        parser.error("nothing to do: give --schema, --files or --drop-all")
    if not options.alpha.rpartition(":")[2].isdecimal():
        options.alpha += ":9080"
    return options


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a number above 0")
    return number


def credentials(options):
    """What the channel is secured with; None for plaintext."""
    if options.plaintext:
        return None
    return grpc.ssl_channel_credentials(
        read(options.tls_cacert), private_key=read(options.tls_key), certificate_chain=read(options.tls_cert)
    )


def read(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def load(options):
    # Everything that can be missing is read before anything is changed.
    schema = None if options.schema is None else read(options.schema).decode()
    secured = credentials(options)
    for path in options.files:
        with open(path, "rb"):
            pass
    stub = pydgraph.DgraphClientStub(options.alpha, secured)
    try:
        client = pydgraph.DgraphClient(stub)
        loader = Loader(client, options.retries, options.timeout, say)
        say(f"Dgraph {loader.version()} at {options.alpha}")
        if options.drop_all:
            say("dropping all data and schema")
            loader.alter(drop_all=True)
        if schema is not None:
            say(f"setting the schema of {options.schema}")
            loader.alter(schema=schema)
        for batch in batches(options.files, options.batch):
            loader.load(batch)
        print(f"loaded {loader.quads} N-Quads in {loader.transactions} transactions, {loader.retried} tried again")
    finally:
        stub.close()


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    options = parse_arguments(sys.argv[1:])
    try:
        load(options)
    except OSError as error:
        say(f"load_data: cannot read {error.filename}: {error.strerror}")
        return 3
    except BatchError as error:
        say(f"load_data: {error}")
        return 1
    except grpc.RpcError as error:
        say(f"load_data: {options.alpha} answers {error.code().name}: {error.details()}")
        if error.code() is grpc.StatusCode.UNAVAILABLE and not options.plaintext:
            say("  a server without TLS needs --plaintext; one whose certificate no known CA signed needs --tls-cacert")
        return 1
    except KeyboardInterrupt:
        say("load_data: interrupted; what was committed stays")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
