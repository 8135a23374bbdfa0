"""What was just committed, for live pages: bounded, and honest about what a slow reader missed."""

from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator
from enum import Enum
from types import TracebackType
from typing import Final, Generic, TypeVar

FEED_WAITING_MAX = 256

T = TypeVar("T")


class Resync(Enum):
    """Stands in a feed for whatever was dropped: read the present state anew."""

    RESYNC = "resync"


RESYNC: Final = Resync.RESYNC


class Feed(AsyncIterator[T | Resync], Generic[T]):
    """One reader's view. Use it with `with`, so that it ends when the reader does."""

    def __init__(self, feeds: "set[Feed[T]]") -> None:
        self._feeds = feeds
        self._items: deque[T | Resync] = deque()
        self._news = Event()
        self._is_closed = False
        feeds.add(self)

    def put(self, item: T) -> None:
        """Offer an item; where too many wait already, all of them give way to `RESYNC`."""
        if len(self._items) >= FEED_WAITING_MAX:
            self._items.clear()
            self._items.append(RESYNC)
        self._items.append(item)
        self._news.set()

    def close(self) -> None:
        """End it: the reader gets what waits, then the end."""
        self._is_closed = True
        self._feeds.discard(self)
        self._news.set()

    async def __anext__(self) -> T | Resync:
        while not self._items:
            if self._is_closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()

    def __enter__(self) -> "Feed[T]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
