"""Writes `docs/rules/`: a page for each rule, from its docstring and its tests, and an index of all of them; `docs/errors/`: a
page for each error; and `docs/commands.md`.

`python docs/generate.py` writes the pages; with `--check` it ends with 1, naming them, where a page is not what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reference import command_page, error_pages

from lakewarden.judge.catalogue import doc_of, load_rules
from lakewarden.rule import Status
from lakewarden.testing.examples import read_examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.rule import Rule, RuleDoc
    from lakewarden.testing.examples import Example

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"

RECOMMENDATIONS = {
    "ENV": "A separate environment for each stage",
    "GIT": "Code in Git, promoted over stage branches",
    "DAT": "Raw and feature data in Delta tables under access control",
    "TRK": "Development tracked with MLflow",
    "REG": "Models managed in the registry",
    "DEP": "Code deployed, not models",
    "GATE": "A model version that is to go live",
    "LW": "The run itself",
}
_HEADINGS = {
    "violating": "Violates",
    "compliant": "Complies",
    "exception": "Complies, by an exception",
    "unknown": "Cannot be told",
}
_LONGEST = 60  # lines of an example


def pages() -> dict[str, str]:
    """Every page by its path below `docs`."""
    return (
        {f"rules/{name}": text for name, text in rule_pages().items()}
        | {f"errors/{name}": text for name, text in error_pages().items()}
        | {"commands.md": command_page()}
    )


def rule_pages() -> dict[str, str]:
    """The page of every rule, and their index, by the name of the file."""
    rules = load_rules()
    tests = {path.stem.partition("_")[0].upper(): path for path in (CHECKOUT / "tests" / "rules").glob("*/*.md")}
    found = {"index.md": _index()}
    for rule in rules.values():
        examples = read_examples(tests[rule.code]) if rule.code in tests else []
        found[f"{rule.code.lower()}.md"] = _page(rule, doc_of(rule), examples)
    return found


def _index() -> str:
    lines = [
        "# Rules",
        "",
        "Generated from the rules by `docs/generate.py`. A rule in *preview* is off unless it is selected.",
        "",
    ]
    for prefix, title in RECOMMENDATIONS.items():
        lines += [f"## {title}", "", "| code | a compliant project | severity | confidence | profile |", "|---|---|---|---|---|"]
        for rule in load_rules().values():
            if rule.code.rstrip("0123456789") == prefix:
                preview = " (preview)" if rule.status is Status.PREVIEW else ""
                lines.append(
                    f"| [{rule.code}]({rule.code.lower()}.md) | {doc_of(rule).title}{preview} "
                    f"| {rule.severity.value} | {rule.confidence.value} | {rule.profile.value} |"
                )
        lines.append("")
    return "\n".join(lines)


def _page(rule: Rule, doc: RuleDoc, examples: list[Example]) -> str:
    preview = ", **preview**: off unless it is selected" if rule.status is Status.PREVIEW else ""
    lines = [
        f"# {rule.code} · {doc.title}",
        "",
        f"`{rule.name}`: {rule.severity.value}, {rule.confidence.value} confidence, {rule.profile.value}, revision {rule.revision}{preview}.",
        "",
    ]
    for title, text in (("Why", doc.why), ("Fix", doc.fix), ("Exceptions", doc.exceptions)):
        if text:
            lines += [f"## {title}", "", text, ""]
    lines += ["## Messages", ""]
    for query in rule.queries:
        for name, message in query.conditions.items():
            own = "".join(f", {value.value}" for value in (message.severity, message.confidence) if value is not None)
            condition = f", `{name}`" if name != "ok" else ""
            fix = ", [safe fix](../fixes.md)" if name in rule.fixable else ""
            lines.append(f"* `{query.subject}`{condition}{own}{fix}: {message.text}")
    shown = list(_examples(examples))
    if shown:
        lines += ["", "## Examples", "", "Each of them is a test.", "", *shown[:-1]]
    lines += ["", "## References", "", *(f"* <{reference}>" for reference in doc.references), ""]
    return "\n".join(lines)


def _examples(examples: list[Example]) -> Iterator[str]:
    """The first example of each kind that is written as files, and every exception; rows of facts teach nobody."""
    told: set[str] = set()
    for example in sorted((e for e in examples if e.files), key=lambda e: list(_HEADINGS).index(e.kind)):
        if example.kind in told and example.kind != "exception":
            continue
        files = {**example.files, **({"lakewarden.toml": example.policy} if example.policy else {})}
        if sum(text.count("\n") for text in files.values()) > _LONGEST:
            continue
        told.add(example.kind)
        yield f"### {_HEADINGS[example.kind]}: {example.title}"
        yield ""
        for path, text in files.items():
            yield f"`{path}`"
            yield ""
            yield f"````{path.rpartition('.')[2]}"
            yield text.rstrip("\n")
            yield "````"
            yield ""


def main() -> None:
    """Write the pages, or check them."""
    wanted = pages()
    found = [*DOCS.glob("rules/*.md"), *DOCS.glob("errors/*.md"), *DOCS.glob("commands.md")]
    if "--check" in sys.argv[1:]:
        there = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in found}
        stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
        if stale:
            sys.exit(f"run `python docs/generate.py`: {', '.join(stale)}")
        return
    for path in found:
        if path.relative_to(DOCS).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
