"""Puts a Markdown report of Lakewarden onto the pull request of an Azure pipeline: one comment, updated by every run.

    python lakewarden_comment.py lakewarden.md

It needs System.AccessToken in SYSTEM_ACCESSTOKEN; the other variables are there in every pipeline. Nothing but Python is needed;
proxies and certificates come from HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

MARK = "<!-- lakewarden -->"
_API = "api-version=7.1"
_MOST = 140_000  # characters that a comment may have, and a little less


class Host:
    """The pull request's part of the REST API."""

    def __init__(self, variables):
        self._collection = variables["SYSTEM_COLLECTIONURI"].rstrip("/")
        names = ("SYSTEM_TEAMPROJECTID", "BUILD_REPOSITORY_ID", "SYSTEM_PULLREQUEST_PULLREQUESTID")
        project, repository, request = (urllib.parse.quote(variables[name], safe="") for name in names)
        self.threads = f"{self._collection}/{project}/_apis/git/repositories/{repository}/pullRequests/{request}/threads"
        pair = base64.b64encode(f":{variables['SYSTEM_ACCESSTOKEN']}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json", "Accept": "application/json"}

    def me(self):
        """Who this pipeline is: only its own comment is updated."""
        return self.ask("GET", f"{self._collection}/_apis/connectionData?api-version=7.1-preview.1")["authenticatedUser"]["id"]

    def ask(self, method, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def comment(host, text):
    """Write the report: into the comment of an earlier run where there is one."""
    me = host.me()
    for thread in host.ask("GET", f"{host.threads}?{_API}")["value"]:
        for one in [] if thread.get("isDeleted") else thread.get("comments", []):
            own = one.get("author", {}).get("id") == me and not one.get("isDeleted")
            if own and (one.get("content") or "").startswith(MARK):
                if one["content"] != text:
                    host.ask("PATCH", f"{host.threads}/{thread['id']}/comments/{one['id']}?{_API}", {"content": text})
                return f"updated comment {one['id']} of thread {thread['id']}"
    # Closed, so that a policy that wants all comments resolved does not wait for this one.
    new = {"comments": [{"parentCommentId": 0, "content": text, "commentType": "text"}], "status": "closed"}
    return f"wrote thread {host.ask('POST', f'{host.threads}?{_API}', new)['id']}"


def main(arguments, variables):
    needed = ("SYSTEM_ACCESSTOKEN", "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_REPOSITORY_ID")
    missing = [name for name in (*needed, "SYSTEM_PULLREQUEST_PULLREQUESTID") if not variables.get(name)]
    if missing:
        return f"no pull request can be commented on: {missing[0]} is not set"
    text = Path(arguments[0]).read_text(encoding="utf-8")
    if not text.startswith(MARK):
        return f"{arguments[0]} is no Markdown report of lakewarden: it does not begin with {MARK}"
    if len(text) > _MOST:
        text = f"{text[:_MOST]}\n\n… cut off here: the whole report is an artifact of the run."
    try:
        print(comment(Host(variables), text))
    except urllib.error.HTTPError as problem:
        advice = "may the build service contribute to pull requests?" if problem.code in (401, 403) else "run it again"
        return f"Azure DevOps answered {problem.code}: {advice}"
    except (OSError, KeyError, ValueError) as problem:
        return f"Azure DevOps could not be asked: {type(problem).__name__}"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
