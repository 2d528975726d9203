"""Requests that wait at the same time are scored together: a model takes nearly as long for one row
as for a hundred.
"""

import queue
import threading
from concurrent.futures import Future
from typing import Any

import polars as pl
from fastapi import HTTPException

from ..models.score import UNSCORED
from .champion import Champion
from .rows import Read

TOGETHER = 64  # requests
Answers = list[dict[str, Any]]


class Together:
    """One thread that reads and answers requests; those that came meanwhile, all at once."""

    def __init__(self, champion: Champion, read: Read) -> None:
        self.champion, self.read = champion, read
        self.waiting: queue.SimpleQueue[tuple[bytes, Future[Answers]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def ask(self, body: bytes) -> Future[Answers]:
        """What will be an answer to each row of a request, or the exception that says why not:
        HTTPException where the request is at fault.
        """
        future: Future[Answers] = Future()
        self.waiting.put((body, future))
        return future

    def _work(self) -> None:
        while True:
            requests = [self.waiting.get()]
            while len(requests) < TOGETHER and not self.waiting.empty():
                requests.append(self.waiting.get())
            tables = []
            for body, future in requests:
                try:
                    tables.append((self.read(body), future))
                except Exception as error:  # whoever asked learns of it
                    future.set_exception(error)
            del requests
            answer_together(self.champion, tables)


def answer_together(champion: Champion, tables: list[tuple[pl.DataFrame, Future[Answers]]]) -> None:
    """Answer each table. Where rows cannot be answered together, each table is on its own, so that
    only the one at fault goes without an answer.
    """
    if not tables:
        return
    try:
        answers = champion.answer(pl.concat([rows for rows, _ in tables]).with_row_index("row"))
    except Exception as error:
        if len(tables) == 1:
            tables[0][1].set_exception(error)
            return
        for each in tables:
            answer_together(champion, [each])
        return
    start = 0
    for rows, future in tables:
        share = answers[start : start + rows.height]
        start += rows.height
        unscored = [{"row": n, "reasons": [UNSCORED]} for n, each in enumerate(share) if not each]
        if unscored:
            future.set_exception(HTTPException(422, unscored))
        else:
            future.set_result([each for each in share if each])
