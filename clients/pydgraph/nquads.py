"""Reads N-Quads in batches, and loads each batch in one transaction that can be retried."""

import gzip
import random
import re
import time
from typing import NamedTuple

import grpc
import pydgraph

# Strings and IRIs are matched as a whole: `_:` in them is not a blank node.
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|<[^>]*>|(?P<blank>_:[^\s.<"]+(?:\.[^\s.<"]+)*)|.', re.DOTALL)

# After these errors, it is unknown whether the call was executed.
UNKNOWN_OUTCOME = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Batch(NamedTuple):
    file: str
    first: int
    last: int
    lines: list


class BatchError(Exception):
    """A batch that Dgraph did not accept; the message has its file and lines."""


def batches(files, size):
    """Yields the N-Quads of the files, without comments and empty lines. A batch never spans two files."""
    for path in files:
        opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
        with opened as file:
            lines, first = [], 1
            for number, line in enumerate(file, 1):
                if not line.strip() or line.lstrip().startswith("#"):
                    continue
                if not lines:
                    first = number
                lines.append(line)
                if len(lines) == size:
                    yield Batch(path, first, number, lines)
                    lines = []
            if lines:
                yield Batch(path, first, number, lines)


def with_uids(lines, uids):
    """Returns the lines as one string, with each blank node that has a uid replaced by the uid."""

    def known(match):
        blank = match["blank"]
        return f"<{uids[blank[2:]]}>" if blank and blank[2:] in uids else match[0]

    return "".join(TOKEN.sub(known, line) for line in lines)


class Loader:
    """Loads batches one after the other. A blank node keeps the uid that Dgraph assigned in the first batch that contains it."""

    def __init__(self, client, retries, timeout, log):
        self.client = client
        self.retries = retries
        self.timeout = timeout
        self.log = log
        self.uids = {}
        self.quads = self.transactions = self.retried = 0

    def version(self):
        return self._retry("reading the version", lambda: self.client.check_version(timeout=self.timeout))

    def alter(self, **operation):
        self._retry("altering the schema", lambda: self.client.alter(pydgraph.Operation(**operation), timeout=self.timeout))

    def load(self, batch):
        where = f"{batch.file}:{batch.first}-{batch.last}"
        try:
            self._retry(where, lambda: self._transact(batch.lines))
        except grpc.RpcError as error:
            raise BatchError(f"{where}: {error.code().name}: {error.details()}") from error
        except (pydgraph.AbortedError, pydgraph.RetriableError, pydgraph.ConnectionError) as error:
            raise BatchError(f"{where}: given up after {self.retries} tries: {error}") from error
        self.quads += len(batch.lines)
        self.transactions += 1
        self.log(f"{where}: {self.quads} N-Quads in {self.transactions} transactions")

    def _transact(self, lines):
        """
        Loads lines in one transaction. Uids are recorded before the commit: if the reply to the commit is lost, the retry writes
        the same triples of the same nodes, instead of creating the nodes twice.
        """
        txn = self.client.txn()
        try:
            answer = txn.mutate(set_nquads=with_uids(lines, self.uids), timeout=self.timeout)
            self.uids.update(answer.uids)
            txn.commit(timeout=self.timeout)
        finally:
            try:
                txn.discard()
            except grpc.RpcError:
                pass  # Dgraph discards an uncommitted transaction itself

    def _retry(self, task, action):
        for attempt in range(1, self.retries + 1):
            try:
                return action()
            except (pydgraph.AbortedError, pydgraph.RetriableError, pydgraph.ConnectionError) as error:
                reason = str(error) or type(error).__name__
                if attempt == self.retries:
                    raise
            except grpc.RpcError as error:
                reason = error.code().name
                if error.code() not in UNKNOWN_OUTCOME or attempt == self.retries:
                    raise
            self.retried += 1
            wait = min(5.0, 0.1 * 2**attempt) * random.uniform(0.5, 1)
            self.log(f"{task}: {reason}; retrying in {wait:.1f} s")
            time.sleep(wait)
