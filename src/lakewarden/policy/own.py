"""Rules of one's own: `.sql` files that a policy names, and installed packages that offer rules."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import RuleError
from lakewarden.policy.wrong import did_you_mean, shown, wrong
from lakewarden.rule import Confidence, Message, Profile, Rule, RuleDoc, Severity, Status, parse_doc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: The group of entry points under which a package offers rules.
GROUP = "lakewarden.rules"
#: What loading a package of others mostly raises. What else it may is told at the top, with a log, as a bug is.
_OF_OTHERS = (
    *(ImportError, SyntaxError, OSError, ArithmeticError, AssertionError, AttributeError, LookupError, NameError),
    *(RuntimeError, TypeError, ValueError, SystemExit),
)
#: How the codes of our own rules begin, now and ever: two or three letters, or GATE.
_OURS = ("LW", "ENV", "GIT", "DAT", "TRK", "REG", "DEP", "GATE")
_CODE = re.compile(r"[A-Z]{4,12}[0-9]{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
_REQUIRED = ("code", "name", "severity", "subject", "message", "title", "why", "fix")
_OPTIONAL = ("confidence", "profile", "status", "revision", "needs_both", "exceptions", "references")
_CHOICES: dict[str, type[Severity | Confidence | Profile | Status]] = {
    "severity": Severity,
    "confidence": Confidence,
    "profile": Profile,
    "status": Status,
}
_KINDS: dict[str, tuple[type, str]] = {"revision": (int, "a whole number"), "needs_both": (bool, "true or false")}


class OwnRule(Rule):
    """A rule that is not of the catalogue: its documentation, and the file that it stands in, for people and for the tree."""

    __slots__ = ("doc", "path", "place")

    def __init__(self, *, doc: RuleDoc, place: str, path: str | None = None, **said: Any) -> None:
        super().__init__(**said)
        self.doc, self.place, self.path = doc, place, path


class Named(NamedTuple):
    """What a policy file says about rules of one's own, and the folder that it stands in."""

    file: str
    folder: Path | None
    globs: tuple[str, ...]
    packages: tuple[str, ...]


def read_rule(text: str, place: str, path: str | None = None) -> OwnRule:
    """The rule of a `.sql` file: TOML in the comment lines that it begins with, then the query.

    Raises:
        RuleError: the file does not keep to the form.
    """
    said, query = _parts(text, place)
    unknown = [key for key in said if key not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        raise _bad(place, f"unknown key {unknown[0]}{did_you_mean(unknown[0], (*_REQUIRED, *_OPTIONAL))}")
    missing = [key for key in _REQUIRED if not said.get(key)]
    if missing:
        raise _bad(place, f"its header does not say {missing[0]}")
    for key in ("code", "name", "subject", "title", "why", "fix", "exceptions"):
        if not isinstance(said.get(key, ""), str):
            raise _bad(place, f"{key} must be a string, in quotes")
    for key, (kind, words) in _KINDS.items():
        if key in said and type(said[key]) is not kind:
            raise _bad(place, f"{key} must be {words}")
    references = said.get("references", [])
    if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
        raise _bad(place, "references must be a list of strings")
    chosen = {key: _choice(kind, said[key], key, place) for key, kind in _CHOICES.items() if key in said}
    _check_identity(said["code"], said["name"], place)
    title, why, fix = (said[key].strip() for key in ("title", "why", "fix"))
    doc = RuleDoc(title.rstrip("."), why, fix, said.get("exceptions", "").strip() or "None.", tuple(references))
    return OwnRule(
        doc=doc,
        place=place,
        path=path,
        code=said["code"],
        name=said["name"],
        subject=said["subject"],
        query=query,
        message=_messages(said["message"], place),
        needs_both=said.get("needs_both", False),
        revision=said.get("revision", 1),
        **{"confidence": Confidence.HIGH, "profile": Profile.RECOMMENDED, **chosen},
    )


def _parts(text: str, place: str) -> tuple[dict[str, Any], str]:
    """The header as a table, and the query without its comments."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

    lines = text.removeprefix("\ufeff").splitlines()
    count = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = "\n".join(line[3:] if line.startswith("-- ") else line[2:] for line in lines[:count])
    try:
        said = tomllib.loads(header)
    except tomllib.TOMLDecodeError as problem:
        raise _bad(place, f"its header is not TOML: {' '.join(str(problem).split())}") from None
    query = _COMMENT.sub(lambda found: found[1] or " ", "\n".join(lines[count:])).strip().removesuffix(";").strip()
    if not query:
        raise _bad(place, "there is no query after its header")
    if '"' in query:
        raise _bad(place, 'write names without quotes: " hides from the checker which tables are read')
    return said, query


def _choice(kind: type[Severity | Confidence | Profile | Status], value: Any, key: str, place: str) -> Any:
    known = [one.value for one in kind]
    if value not in known:
        near = did_you_mean(value, known) if isinstance(value, str) else ""
        raise _bad(place, f"{key} must be one of {', '.join(known)}{near}")
    return kind(value)


def _check_identity(code: Any, name: Any, place: str) -> None:
    if not isinstance(code, str) or not _CODE.fullmatch(code) or code.startswith(_OURS):
        what = f"the code {code!r} must be four to twelve capitals and three digits, such as ACME001"
        raise _bad(place, f"{what}, and not begin as ours do ({', '.join(_OURS)})")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad(place, f"the name {name!r} must be small words joined by hyphens, such as cost-centre-tag")


def _messages(said: Any, place: str) -> str | dict[str, str | Message]:
    if isinstance(said, str):
        return _template(said, place)
    if not isinstance(said, dict):
        raise _bad(place, "message must be a string, or a table with one for each condition")
    found: dict[str, str | Message] = {}
    for condition, one in said.items():
        table = {"text": one} if isinstance(one, str) else one
        if not re.fullmatch(r"[a-z][a-z_]*", condition):
            raise _bad(place, f"the condition {condition!r} must be written in small letters")
        if (
            not isinstance(table, dict)
            or not isinstance(table.get("text"), str)
            or set(table) - {"text", "severity", "confidence"}
        ):
            raise _bad(place, f"{shown(('message', condition))} must be a string, or a table with text, severity and confidence")
        weights = {key: _choice(_CHOICES[key], table[key], key, place) for key in ("severity", "confidence") if key in table}
        found[condition] = Message(_template(table["text"], place), **weights)
    return found


def _template(text: str, place: str) -> str:
    """A message template names columns, and nothing of them."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError as problem:
        raise _bad(place, f"its message is no template: {problem}") from None
    odd = [field for field in fields if not field.isidentifier()]
    if odd or "\n" in text:
        raise _bad(place, f"its message names {{{odd[0]}}}: write a column" if odd else "its message must be one line")
    return text


def own_rules(named: Iterable[Named], top: Path, ours: Mapping[str, str]) -> dict[str, OwnRule]:
    """The rules that the files of a policy name, by code; `ours` maps the codes of the catalogue to their names.

    Raises:
        PolicyError: a glob matches no file, or there is no such package, or it cannot be loaded.
        RuleError: a rule does not keep to the form, or two have one code or one name.
    """
    found: dict[str, OwnRule] = {}
    names = {name: code for code, name in ours.items()}
    for one in named:
        for rule in (*_of_files(one, top), *_of_packages(one)):
            if rule.code in found:
                if found[rule.code].place == rule.place:
                    continue  # two globs, or two policies, name one file
                raise _bad(rule.place, f"the code {rule.code} is taken by {found[rule.code].place}")
            if rule.name in names:
                raise _bad(rule.place, f"the name {rule.name} is taken by {names[rule.name]}")
            found[rule.code] = rule
            names[rule.name] = rule.code
    return found


def _of_files(named: Named, top: Path) -> Iterator[OwnRule]:
    for at, glob in enumerate(named.globs):
        path = ("own_rules", at)
        if not glob.endswith(".sql") or glob.startswith(("/", "~")) or ".." in glob.split("/") or "\\" in glob:
            raise wrong(named.file, path, f"{glob!r} must be a path of .sql files below the policy's folder")
        if named.folder is None:
            raise wrong(named.file, path, "the package is not a folder, so its rules cannot be read")
        files = sorted(file for file in named.folder.glob(glob) if file.is_file())
        if not files:
            raise wrong(named.file, path, f"{glob!r} matches no file", "the path is relative to the policy file")
        for file in files:
            if not file.resolve().is_relative_to(named.folder.resolve()):
                raise wrong(named.file, path, f"{file.name} is a link that leads out of the policy's folder")
            place = os.path.relpath(file, top).replace(os.sep, "/") if file.is_relative_to(top) else f"{named.file}: {file.name}"
            yield read_rule(_text(file, place), place, place if file.is_relative_to(top) else None)


def _text(file: Path, place: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise _bad(place, f"cannot be read: {getattr(problem, 'strerror', None) or 'it is not UTF-8'}") from None


def _of_packages(named: Named) -> Iterator[OwnRule]:
    for at, name in enumerate(named.packages):
        with _only_what_is_installed():
            yield from _of_package(name, named.file, ("rule_packages", at))


def _of_package(name: str, policy: str, path: tuple[str | int, ...]) -> list[OwnRule]:
    from importlib.metadata import entry_points

    offered = entry_points(group=GROUP)
    points = [point for point in offered if point.name == name]
    if len({point.value for point in points}) != 1:
        known = ", ".join(sorted({point.name for point in offered})) or "none"
        what = "two installed packages offer" if points else "no installed package offers"
        raise wrong(policy, path, f"{what} rules named {name!r}", f"those that are offered (entry points {GROUP}): {known}")
    try:
        module = points[0].load()
        folders = [Path(folder) for folder in getattr(module, "__path__", ())]
        files = sorted(file for folder in folders for file in folder.iterdir() if file.suffix in (".sql", ".py"))
        found = [
            (file, importlib.import_module(f"{module.__name__}.{file.stem}") if file.suffix == ".py" else None)
            for file in files
            if file.stem != "__init__"
        ]
    except _OF_OTHERS as problem:
        told = f"{type(problem).__name__}: {problem}".splitlines()[0]
        raise wrong(policy, path, f"the rules named {name!r} cannot be loaded: {told}", "mend or update the package") from None
    rules = []
    for file, loaded in found:
        place = f"{name}/{file.name}"
        if loaded is None:
            rules.append(read_rule(_text(file, place), place))
        elif not isinstance(rule := getattr(loaded, "rule", None), Rule):
            raise _bad(place, "it has no `rule`")
        else:
            rules.append(_documented(rule, loaded.__doc__ or "", place))
    if not rules:
        raise wrong(policy, path, f"the package of {name!r} holds no rule", "a rule is a .sql file, or a module with `rule`")
    return rules


def _documented(rule: Rule, docstring: str, place: str) -> OwnRule:
    _check_identity(rule.code, rule.name, place)
    said = {key: getattr(rule, key) for key in Rule.__slots__}
    return OwnRule(doc=parse_doc(docstring, rule.code), place=place, **said)


@contextlib.contextmanager
def _only_what_is_installed() -> Iterator[None]:
    """The current folder, which may be a repository that is judged, offers no rules: Python looks there first of all when it
    is started with -m.
    """
    before = list(sys.path)
    here = Path.cwd()
    sys.path[:] = [entry for entry in before if entry and Path(entry).resolve() != here]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _bad(place: str, what: str) -> RuleError:
    return RuleError(f"{place}: {what}")
