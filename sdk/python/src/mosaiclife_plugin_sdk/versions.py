"""The versions of the two SDKs, as registration tells them to core."""

from __future__ import annotations

from typing import Final

SDK_VERSION: Final = "1.4.0"
# The TypeScript SDK of the same release; a test holds it against its package.json.
FRONTEND_SDK_VERSION: Final = "1.2.0"
