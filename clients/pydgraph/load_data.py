#!/usr/bin/env python3
"""Loads a schema and N-Quads into Dgraph over gRPC.

Exit codes: 0 everything was loaded; 1 Dgraph refused the data or did not respond; 2 wrong usage; 3 a file cannot be read.
Prints one line with the result to stdout, and everything else to stderr.
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
        help="gRPC address of an Alpha, by default port 9080 (default: $DGRAPH_ALPHA_SERVER)",
    )
    parser.add_argument("--plaintext", action="store_true", help="connect without TLS, as inside a mesh")
    parser.add_argument("--tls-cacert", metavar="FILE", help="CA of the server's certificate (default: the CAs that gRPC trusts)")
    parser.add_argument("--tls-cert", metavar="FILE", help="the client's certificate, for mutual TLS")
    parser.add_argument("--tls-key", metavar="FILE", help="the client's private key")
    parser.add_argument("--schema", metavar="FILE", help="DQL schema to set before loading")
    parser.add_argument(
        "--files", metavar="FILE", nargs="+", default=[], help="N-Quads, plain or .gz; a blank node is the same node in all files"
    )
    parser.add_argument("--drop-all", action="store_true", help="delete ALL data and the schema of the server first")
    for option, value, meaning in (
        ("--batch", 1000, "N-Quads per transaction"),
        ("--retries", 8, "attempts per transaction"),
        ("--timeout", 30, "timeout of one call, in seconds"),
    ):
        parser.add_argument(option, metavar="N", type=positive, default=value, help=f"{meaning} (default: %(default)s)")
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
    """Returns the TLS credentials of the channel; None for plaintext."""
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
    # Read all files before changing anything, so that a missing file has no effect.
    schema = None if options.schema is None else read(options.schema).decode()
    tls = credentials(options)
    for path in options.files:
        with open(path, "rb"):
            pass
    stub = pydgraph.DgraphClientStub(options.alpha, tls)
    try:
        client = pydgraph.DgraphClient(stub)
        loader = Loader(client, options.retries, options.timeout, log)
        log(f"Dgraph {loader.version()} at {options.alpha}")
        if options.drop_all:
            log("dropping all data and schema")
            loader.alter(drop_all=True)
        if schema is not None:
            log(f"setting the schema of {options.schema}")
            loader.alter(schema=schema)
        for batch in batches(options.files, options.batch):
            loader.load(batch)
        print(f"loaded {loader.quads} N-Quads in {loader.transactions} transactions, {loader.retried} tried again")
    finally:
        stub.close()


def log(text):
    print(text, file=sys.stderr, flush=True)


def main():
    options = parse_arguments(sys.argv[1:])
    try:
        load(options)
    except OSError as error:
        log(f"load_data: cannot read {error.filename}: {error.strerror}")
        return 3
    except BatchError as error:
        log(f"load_data: {error}")
        return 1
    except grpc.RpcError as error:
        log(f"load_data: {options.alpha} returned {error.code().name}: {error.details()}")
        if error.code() is grpc.StatusCode.UNAVAILABLE and not options.plaintext:
            log("  for a server without TLS, pass --plaintext; for a server certificate of your own CA, pass --tls-cacert")
        return 1
    except KeyboardInterrupt:
        log("load_data: interrupted; committed transactions are kept")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
