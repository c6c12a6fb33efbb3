"""What a path or a URL says about whose it is."""

from __future__ import annotations

import re

_DEPLOYER = "${workspace.current_user."
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_CLOUD = re.compile(r"(?:s3a?|abfss?|wasbs?|gs|adl|https?)://", re.IGNORECASE)
#: Hosts as templates and documentation write them: somebody has to put the true one in.
_UNEDITED = re.compile(
    r"[<>]|x{4}|(?:replace|change)[-_]?me|//(?:company|my-?company|your[\w-]*|my-?workspace[\w-]*|workspace[-.]?url|example[\w-]*|placeholder[\w-]*|to-?do)"
    r"(?:\.|/|$)|\byour[-_.]|\.example\.(?:com|org|net)|//[^/]*\.\.\.",
    re.IGNORECASE,
)
_FILLED_LATER = re.compile(r"\$[({]|#\{|\{\{|__[A-Z_]+__|\$[A-Z_]{2,}|%[A-Z_]{2,}%|(?:^|//)[A-Z0-9_]+_(?:HOST|URL)\b")
_BLANK = re.compile(r"<[^<>]*>|\{\{|\$\(|#\{|x{8}-x{4}", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_application_id(name: str) -> bool:
    """Has it the form of the application id of a service principal?"""
    return _UUID.fullmatch(name) is not None


def is_placeholder(name: str) -> bool:
    """Is it what a template leaves for somebody to fill in?"""
    return _BLANK.search(name) is not None


def place_of_folder(path: str) -> str | None:
    """Whose a workspace folder is: `person`, `deployer`, `service_principal`, `everyone` or `other`.

    None where a placeholder stands for the name.
    """
    bare = path.removeprefix("/Workspace") if path.startswith("/Workspace/") else path
    if bare.startswith(("~", _DEPLOYER)):
        return "deployer"
    parts = [part for part in bare.split("/") if part]
    first = parts[0] if parts else ""
    if first == "Shared":
        return "everyone"
    if first in ("Users", "Repos") and len(parts) > 1:
        if _DEPLOYER in parts[1]:
            return "deployer"
        if is_placeholder(parts[1]):
            return None
        if is_application_id(parts[1]):
            return "service_principal"
        return "person" if first == "Users" or "@" in parts[1] else "other"
    return "deployer" if _DEPLOYER in bare else "other"


def place_of_code(path: str) -> str | None:
    """Where code or a library lies that is not deployed with the bundle; None in the folder of whoever deploys."""
    lower = path.lower()
    if lower.startswith(("dbfs:/volumes/", "/volumes/")):
        return "volume"
    if lower.startswith(("dbfs:", "/dbfs/", "/mnt/", "/filestore/")):
        return "dbfs"
    if _CLOUD.match(path):
        return "cloud"
    place = place_of_folder(path)
    return {"deployer": None, "service_principal": "workspace", "other": "workspace"}.get(str(place), place)


def normal_host(host: str) -> str:
    """A workspace's URL in lower case, with a scheme and without a trailing slash or a query."""
    host = host.strip()
    if _SCHEME.match(host) is None:
        host = f"https://{host}"
    return host.partition("?")[0].rstrip("/").lower()


def host_problem(host: str) -> str | None:
    """Why a host is no host yet: nobody put the true one in, or it is filled in before the deployment."""
    if _FILLED_LATER.search(host):
        return f"host {host} is filled in before the deployment"
    if _UNEDITED.search(host if "//" in host else f"//{host}"):
        return f"host {host} is not configured: it is a placeholder"
    return None
