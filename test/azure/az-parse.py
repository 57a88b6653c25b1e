"""Has az's own parser judge command lines without running them: a JSON array of arguments a line on stdin, a line of what it says against one on stdout."""
import contextlib
import io
import json
import sys

from azure.cli.core import get_default_cli

cli = get_default_cli()


class Parsed(Exception):
    pass


def objection(arguments):
    invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invocation
    parse = invocation.parser.parse_args

    def stop(args=None, namespace=None):
        parse(args, namespace)
        raise Parsed

    invocation.parser.parse_args = stop
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.data.setdefault("headers", {})
            invocation.execute(list(arguments))
    except Parsed:
        return None
    except SystemExit:
        return said.getvalue().strip()
    return "it ran"


for line in sys.stdin:
    arguments = json.loads(line)
    against = objection(arguments)
    if against is not None:
        print(f"az {' '.join(arguments)}: {against}")
