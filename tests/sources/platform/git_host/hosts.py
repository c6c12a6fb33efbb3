"""Small Git hosts on 127.0.0.1 that answer as the REST APIs of GitHub, GitLab and Azure DevOps are documented."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from tests.sources.platform.wire.serving import Asked, Says, Server, serving

from lakewarden.sources.platform.wire.api import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a route gives: the value, or an answer of its own.
Routes = dict[str, Any]
QUICK = Options(sleep=lambda _seconds: None)
TOKEN = "a-token-of-a-test"  # noqa: S105


class Hosting(NamedTuple):
    """A running host, the key of its repository, and the variables that name it."""

    server: Server
    key: str
    environ: dict[str, str]


@contextmanager
def github(routes: Routes, *, page: int = 100, environ: dict[str, str] | None = None) -> Iterator[Hosting]:
    """GitHub Enterprise Server: lists page by `Link`, whatever size was asked for; what is not there is 404."""

    def answer(asked: Asked) -> Says:
        path = unquote(asked.path.removeprefix("/api/v3"))
        if not asked.path.startswith("/api/v3/"):
            return Says({"message": "Not Found"}, 404)
        found = routes.get(path, Says({"message": "Not Found"}, 404))
        if isinstance(found, Says):
            return found
        number = int(asked.query.get("page", ["1"])[0])
        if isinstance(found, list):
            if asked.query.get("protected") == ["true"]:
                found = [one for one in found if one.get("protected")]
            part = found[(number - 1) * page : number * page]
            more = {"Link": f'<{{}}{asked.path}?page={number + 1}>; rel="next"'} if number * page < len(found) else {}
            return Says(part, headers={name: value.format(running[0].url) for name, value in more.items()})
        counted = next((name for name, value in found.items() if isinstance(value, list) and "total_count" in found), None)
        if counted is not None:
            return Says({**found, counted: found[counted][(number - 1) * page : number * page]})
        return Says(found)

    running: list[Server] = []
    with serving(answer) as server:
        running.append(server)
        host = server.url.removeprefix("http://")
        login = {"GH_TOKEN": TOKEN, "GH_HOST": host} if environ is None else environ
        yield Hosting(server, f"{server.url}/acme/churn", login)


@contextmanager
def gitlab(routes: Routes, *, page: int = 100, environ: dict[str, str] | None = None) -> Iterator[Hosting]:
    """A GitLab of one's own: lists page by `Link`."""

    def answer(asked: Asked) -> Says:
        path = asked.path.removeprefix("/api/v4")
        found = routes.get(path.replace("/projects/acme%2Fchurn", ""), Says({"message": "404 Not Found"}, 404))
        if callable(found):
            found = found(asked)
        if isinstance(found, list):
            number = int(asked.query.get("page", ["1"])[0])
            part = found[(number - 1) * page : number * page]
            link = f'<{running[0].url}{asked.path}?page={number + 1}>; rel="next"'
            return Says(part, headers={"Link": link} if number * page < len(found) else {})
        return found if isinstance(found, Says) else Says(found)

    running: list[Server] = []
    with serving(answer) as server:
        running.append(server)
        host = server.url.removeprefix("http://")
        login = {"GITLAB_TOKEN": TOKEN, "GITLAB_HOST": host} if environ is None else environ
        yield Hosting(server, f"{server.url}/acme/churn", login)


@contextmanager
def azure(routes: Routes, *, page: int = 100) -> Iterator[Hosting]:
    """An Azure DevOps Server: lists page by the header `x-ms-continuationtoken`."""

    def answer(asked: Asked) -> Says:
        path = re.sub(r"^/acme/ml/_apis", "", unquote(asked.path))
        found = routes.get(path, Says({"message": "not found", "typeKey": "NotFound"}, 404))
        if callable(found):
            found = found(asked)
        if isinstance(found, list):
            start = int(asked.query.get("continuationToken", ["0"])[0])
            more = {"x-ms-continuationtoken": str(start + page)} if start + page < len(found) else {}
            return Says({"count": len(found), "value": found[start : start + page]}, headers=more)
        return found if isinstance(found, Says) else Says(found)

    with serving(answer) as server:
        environ = {"AZURE_DEVOPS_TOKEN": TOKEN, "SYSTEM_COLLECTIONURI": f"{server.url}/acme/"}
        yield Hosting(server, f"{server.url}/acme/ml/_git/churn", environ)
