"""How we know that a tool which cannot send a token is the one that it says it is.

Not here: tokens of tools and people (`tokens`).
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.manifest import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What one source signs with. An empty secret vouches for nothing."""

    signature: Signature
    secret: Callable[[], str]
    """Read anew each time, so that a new one needs no restart."""

    def vouches_for(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether whoever sent this body knew the secret; takes the same time for every answer."""
        secret = self.secret()
        given = headers.get(self.signature.header, "")
        if not secret or not given:
            return False
        expected = secret
        if self.signature.form == "hmac_sha256":
            expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        wanted = f"{self.signature.prefix}{expected}".encode()
        return hmac.compare_digest(wanted, given.encode("utf-8", "surrogateescape"))
