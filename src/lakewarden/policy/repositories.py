"""One name for a Git repository, however its address is written."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"^(?:[^@/\s]+@)?(?P<host>[^:/\s]+\.[^:/\s]+|[^@:/\s]+(?=:[^/]*/)):(?!//)(?P<path>.+)$")
#: `github.com/acme/churn`, without a scheme.
_BARE = re.compile(r"^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?/[^/\s]+/\S+$", re.IGNORECASE)
#: Hosts that take SSH under another name than HTTPS.
_SSH_HOSTS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}
_AZURE, _OLD_AZURE = "dev.azure.com", ".visualstudio.com"
#: `v3/organisation/project/repository`, as Azure DevOps writes SSH addresses.
_AZURE_SSH_PARTS = 4


@lru_cache(maxsize=4096)
def repository_url(address: str) -> str | None:
    """The repository as `https://host/path` in lower case, without credentials and `.git`; None for what names none.

    All hosts that are read ignore case in names of repositories. `http://` stays, since an address says it on purpose.
    """
    text = address.strip()
    scp = None if "://" in text else _SCP.match(text)
    if scp is None and _BARE.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(f"ssh://{scp['host']}/{scp['path'].lstrip('/')}" if scp else text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    path = unquote(parts.path).strip("/").removesuffix(".git").strip("/").lower()
    if scheme not in ("https", "http", "ssh", "git", "git+ssh", "ssh+git") or not host or not path:
        return None
    if scheme not in ("https", "http"):
        scheme, port = "https", None
    host = _SSH_HOSTS.get(host, host)
    if host == _AZURE or host.endswith(_OLD_AZURE):
        host, path = _AZURE, _of_azure(host, path)
    default = 443 if scheme == "https" else 80
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{f':{port}' if port and port != default else ''}/{path}"


def _of_azure(host: str, path: str) -> str:
    """`organisation/project/_git/repository`; a repository that is named like its project may leave the project out."""
    parts = path.split("/")
    if parts[0] == "v3" and len(parts) == _AZURE_SSH_PARTS:
        return "/".join((*parts[1:3], "_git", parts[3]))
    if host.endswith(_OLD_AZURE):
        parts = [host.removesuffix(_OLD_AZURE), *(parts[1:] if parts[0] == "defaultcollection" else parts)]
    if len(parts) == _AZURE_SSH_PARTS - 1 and parts[1] == "_git":
        parts = [parts[0], parts[2], *parts[1:]]
    return "/".join(parts)
