"""Parses command lines with az's own parser, without running them.

Reads command lines from stdin: one JSON array of arguments per line. For each command line that az's parser rejects,
prints one line with the command line and the parser's error.
"""
import contextlib
import io
import json
import sys

from azure.cli.core import get_default_cli

cli = get_default_cli()


class Parsed(Exception):
    pass


def parse_error(arguments):
    invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invocation
    parse = invocation.parser.parse_args

    def stop(args=None, namespace=None):
        parse(args, namespace)
        raise Parsed

    invocation.parser.parse_args = stop
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output):
            cli.data.setdefault("headers", {})
            invocation.execute(list(arguments))
    except Parsed:
        return None
    except SystemExit:
        return output.getvalue().strip()
    return "was run"


for line in sys.stdin:
    arguments = json.loads(line)
    error = parse_error(arguments)
    if error is not None:
        print(f"az {' '.join(arguments)}: {error}")
