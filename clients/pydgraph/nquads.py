"""N-Quads in batches, and how a batch becomes a transaction that may be tried again."""

import gzip
import random
import re
import time
from typing import NamedTuple

import grpc
import pydgraph

# Strings and IRIs are skipped as a whole: `_:` in them is text.
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|<[^>]*>|(?P<blank>_:[^\s.<"]+(?:\.[^\s.<"]+)*)|.', re.DOTALL)

# A call that ended so may have been carried out or not.
UNKNOWN_OUTCOME = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Batch(NamedTuple):
    file: str
    first: int
    last: int
    lines: list


class BatchError(Exception):
    """A batch that Dgraph does not take, by file and lines."""


def batches(files, size):
    """The files' N-Quads, comments and empty lines left out; a batch never spans two files."""
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
    """The lines with each blank node that has a uid replaced by it."""

    def known(match):
        blank = match["blank"]
        return f"<{uids[blank[2:]]}>" if blank and blank[2:] in uids else match[0]

    return "".join(TOKEN.sub(known, line) for line in lines)


class Loader:
    """Loads batches one after the other. Blank nodes keep the uid that the first batch with them was given."""

    def __init__(self, client, retries, timeout, say):
        self.client = client
        self.retries = retries
        self.timeout = timeout
        self.say = say
        self.uids = {}
        self.quads = self.transactions = self.retried = 0

    def version(self):
        return self._again("asking for the version", lambda: self.client.check_version(timeout=self.timeout))

    def alter(self, **operation):
        self._again("the schema", lambda: self.client.alter(pydgraph.Operation(**operation), timeout=self.timeout))

    def load(self, batch):
        where = f"{batch.file}:{batch.first}-{batch.last}"
        try:
            self._again(where, lambda: self._transact(batch.lines))
        except grpc.RpcError as error:
            raise BatchError(f"{where}: {error.code().name}: {error.details()}") from error
        except (pydgraph.AbortedError, pydgraph.RetriableError, pydgraph.ConnectionError) as error:
            raise BatchError(f"{where}: given up after {self.retries} tries: {error}") from error
        self.quads += len(batch.lines)
        self.transactions += 1
        self.say(f"{where}: {self.quads} N-Quads in {self.transactions} transactions")

    def _transact(self, lines):
        """
        Uids are learned before the commit, and are the batch's own from then on: should the answer to a commit be lost, the next try
        writes the same triples about the same nodes, instead of the same nodes twice.
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
                pass  # what is not committed ends by itself

    def _again(self, what, action):
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
            self.say(f"{what}: {reason}; trying again in {wait:.1f} s")
            time.sleep(wait)
