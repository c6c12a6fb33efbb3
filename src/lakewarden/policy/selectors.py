"""How rules are named in a policy: by code, by name, by the beginning of a code, or `ALL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.wrong import did_you_mean, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def selects(selectors: Iterable[str], code: str) -> bool:
    """Tell whether one of the selectors (codes, beginnings of codes, `ALL`) means the rule."""
    return any(selector == "ALL" or code.startswith(selector) for selector in selectors)


def resolved(selector: str, rules: Mapping[str, str], *, prefix: bool = True) -> str | None:
    """Return the code, or the beginning of codes, that a selector means; None where it means no rule.

    `rules` maps the code of every rule to its name.
    """
    if selector in rules or (prefix and selector == "ALL"):
        return selector
    by_name = {name: code for code, name in rules.items()}
    if selector in by_name:
        return by_name[selector]
    return selector if prefix and selector and any(code.startswith(selector) for code in rules) else None


class _Codes(NamedTuple):
    """Writes codes for the names of rules in one file."""

    rules: Mapping[str, str]
    file: str

    def one(self, selector: str, *path: str | int, prefix: bool = False) -> str:
        code = resolved(selector, self.rules, prefix=prefix)
        if code is None:
            near = did_you_mean(selector, [*self.rules, *self.rules.values()])
            raise wrong(self.file, path, f"no rule is called {selector!r}{near}", "run: lakewarden rules")
        return code

    def all(self, selectors: list[str], *path: str | int) -> list[str]:
        return [self.one(selector, *path, at, prefix=True) for at, selector in enumerate(selectors)]

    def settings(self, table: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, setting in table.items():
            code = self.one(name, "rules", name)
            if code in out:
                raise wrong(self.file, ("rules", name), f"{code} is set twice, by code and by name")
            out[code] = setting
        return out

    def lock(self, entry: str, at: int) -> str:
        first, _, rest = entry.partition(".")
        if first != "rules" or not rest:
            return entry
        name, dot, key = rest.partition(".")
        return f"rules.{self.one(name, 'lock', at)}{dot}{key}"


def by_code(table: Mapping[str, Any], rules: Mapping[str, str] | None, file: str) -> dict[str, Any]:
    """Write codes for names wherever a (validated) table names rules; an unknown rule is a PolicyError.

    Waivers stay as they are written: an unknown rule there is a finding.
    """
    out = dict(table)
    if rules is None:
        return out
    codes = _Codes(rules, file)
    out.update({key: codes.all(out[key], key) for key in ("select", "extend_select", "ignore") if key in out})
    if "per_path_ignores" in out:
        out["per_path_ignores"] = {
            glob: codes.all(named, "per_path_ignores", glob) for glob, named in out["per_path_ignores"].items()
        }
    if "rules" in out:
        out["rules"] = codes.settings(out["rules"])
    if "unwaivable" in out.get("waiver_policy", {}):
        listed = codes.all(out["waiver_policy"]["unwaivable"], "waiver_policy", "unwaivable")
        out["waiver_policy"] = {**out["waiver_policy"], "unwaivable": [code for code in rules if selects(listed, code)]}
    if "lock" in out:
        out["lock"] = [codes.lock(entry, at) for at, entry in enumerate(out["lock"])]
    return out
