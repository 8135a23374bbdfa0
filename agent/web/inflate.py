"""Bodies that come compressed: inflated piece by piece, never by more than there is room for."""

import zlib

WORD_BITS_GZIP = 31
WORD_BITS_ZLIB = 15


class Inflated:
    """Bytes as they were before `gzip` or `deflate`; as they are for no encoding at all."""

    def __init__(self, encoding: str) -> None:
        """`encoding` is the Content-Encoding in lower case; ValueError for an unknown one."""
        match encoding:
            case "" | "identity":
                self._stream = None
            case "gzip" | "x-gzip":
                self._stream = zlib.decompressobj(WORD_BITS_GZIP)
            case "deflate":
                self._stream = zlib.decompressobj(WORD_BITS_ZLIB)
            case _:
                raise ValueError(f"Content-Encoding {encoding!r} is not understood")

    def feed(self, piece: bytes, room: int) -> bytes | None:
        """What the piece adds, or None where it is more than `room` bytes. Raises ValueError."""
        if self._stream is None:
            return piece if len(piece) <= room else None
        try:
            # A limit of 0 would mean none at all.
            added = self._stream.decompress(piece, room + 1)
        except zlib.error as error:
            raise ValueError(f"the body cannot be inflated: {error}") from None
        if self._stream.unused_data:
            raise ValueError("something follows the end of the compressed body")
        return added if len(added) <= room else None

    def finish(self) -> None:
        """Raises ValueError where the body ended too early."""
        if self._stream is not None and not self._stream.eof:
            raise ValueError("the compressed body is cut short")
