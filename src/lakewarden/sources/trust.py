"""Which authorities are believed: those of the system, or those of the organisation where a variable names them."""

from __future__ import annotations

import os

from lakewarden.errors import UsageError

#: In the order in which they count. The first two are those of requests, the last two those of OpenSSL.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def authorities() -> str | None:
    """The file or folder of certificates that the environment names.

    Raises:
        UsageError: it is not there, which would look like a network that is down.
    """
    for variable in VARIABLES:
        place = os.environ.get(variable)
        if place and os.path.exists(place):
            return place
        if place:
            raise UsageError(f"{variable} names {place}, which is not there", "name a file of certificates in PEM")
    return None


def tell_libraries() -> None:
    """Let libraries that make their own requests believe them too: requests knows two of the variables only."""
    place = authorities()
    if place is not None and not os.environ.get("REQUESTS_CA_BUNDLE"):
        os.environ["REQUESTS_CA_BUNDLE"] = place
