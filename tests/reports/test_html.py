"""The page in a real browser: complete, filtered, printed, read aloud, and harmless whatever stands in it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.reports.samples import CATALOGS, SIGNATURE, everything, finding, report, result
from tests.reports.test_hostile import hostile
from tests.running import lakewarden

from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Point, Share, ShareCounts, Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from lakewarden.judge.result import Result

    Open = Callable[..., Page]

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
expect.set_options(timeout=60_000)  # the machine may be busy
ATTACK = """"><img src=x onerror="document.title='hit'"></script><script>document.title='hit'</script>{{ 7 * 7 }}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report; what the page complains of, or fetches, is an error at the end."""
    opened, said, fetched = [], [], []

    def opening(made: Result | Path, place: str = "", **wishes: object) -> Page:
        file = made if isinstance(made, Path) else tmp_path / "report.html"
        if not isinstance(made, Path):
            file.write_text(report("html", made), encoding="utf-8")
        page = browser.new_context(**wishes).new_page()  # type: ignore[arg-type]
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(file.as_uri() + place)
        opened.append(page)
        return page

    yield opening
    for page in opened:
        page.context.close()
    assert said == []
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe complains of, each with the places."""
    page.add_script_tag(content=files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 12
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


def many(count: int) -> Result:
    """As many findings, a third of them of another rule, in two environments."""
    return result(
        *(
            finding(
                SIGNATURE if number % 3 else CATALOGS,
                message=f"message {number} of many",
                subject=f"prod.churn.table_{number}",
                origin=Origin(f"src/file_{number}.py", number + 1),
                environment="production" if number % 2 else "staging",
            )
            for number in range(count)
        )
    )


def test_the_first_page_says_how_it_ended(open_page: Open) -> None:
    page = open_page(everything())
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "3 findings, 1 of which fails this run; the run is incomplete as well"
    )
    cards = dict(zip(page.locator(".cards dt").all_inner_texts(), page.locator(".cards dd").all_inner_texts(), strict=True))
    assert cards == {
        "fail this run": "1",
        "violations": "3",
        "unknown": "1",
        "waived": "2",
        "passes": "4",
        "files read": "12",
    }
    assert page.locator("#groups li:visible").count() == 3
    assert page.locator("article:visible").count() == 0
    expect(page.locator("#coverage")).to_contain_text("variable `catalog` has no value")
    expect(page.locator("#coverage")).to_contain_text("crashed: its query on targets is broken: no column x")
    expect(page.locator("#coverage")).to_contain_text("mlruns/1/meta.yaml")


def test_the_chart_is_drawn_and_the_table_says_the_same(open_page: Open) -> None:
    page = open_page(everything())
    drawn = page.evaluate(
        "(() => { const chart = Chart.getChart(document.querySelector('canvas'));"
        " return chart.data.datasets.map((one) => [one.label, ...one.data]) })()"
    )
    assert drawn == [["pass", 2, 2], ["fail", 1, 2], ["unknown", 1, 0], ["waived", 2, 0]]
    rows = [row.split() for row in page.locator("#overview tbody").first.locator("tr").all_inner_texts()]
    assert [row[-4:] for row in rows] == [["2", "1", "1", "2"], ["2", "2", "0", "0"]]
    assert page.evaluate("document.querySelector('canvas').toDataURL().length") > 5_000


def over_time(count: int = 3) -> Result:
    """A run after others, one of which had not seen everything."""
    points = [
        Point(f"2026-03-{number + 1:02}", count - number, 9, 4, 1, 1_000 + number, 74, number == 1) for number in range(count)
    ]
    return replace(everything(), command="audit", trend=tuple(points), folder="churn", day="2026-03-03")


def test_audits_over_time_are_curves_and_a_table(open_page: Open) -> None:
    page = open_page(over_time())
    drawn = page.evaluate(
        "[...document.querySelectorAll('canvas[data-curve]')].map((canvas) => { const { data } = Chart.getChart(canvas);"
        " return [canvas.dataset.curve, data.labels, data.datasets[0].data, data.datasets[0].pointBackgroundColor] })"
    )
    days = ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert [[name, labels, values] for name, labels, values, _ in drawn] == [
        ["failing", days, [3, 2, 1]],
        ["unknown", days, [4, 4, 4]],
        ["passing", days, [1000, 1001, 1002]],
    ]
    for *_, (first, second, third) in drawn:  # the one that is not complete is hollow
        assert first == third != second
    assert page.evaluate("[...document.querySelectorAll('canvas')].every((one) => one.toDataURL().length > 3000)")
    rows = page.locator("section[aria-labelledby=trend] tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["2026-03-03", "1", "9", "4", "1", "1,002", "74", "all"],
        ["2026-03-02", "2", "9", "4", "1", "1,001", "74", "incomplete"],
        ["2026-03-01", "3", "9", "4", "1", "1,000", "74", "all"],
    ]
    assert "audit of churn, as of 2026-03-03" in page.locator("header").inner_text()


def test_one_audit_is_no_trend(open_page: Open) -> None:
    assert open_page(over_time(1)).locator("section[aria-labelledby=trend]").count() == 0


def test_on_paper_older_audits_are_unfolded(open_page: Open) -> None:
    page = open_page(over_time(20))
    rows = page.locator("section[aria-labelledby=trend] tbody tr")
    assert rows.count() == 20
    assert [rows.nth(number).is_visible() for number in (11, 12)] == [True, False]
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert rows.nth(19).is_visible()
    assert page.locator(".curves").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert rows.nth(12).is_hidden()


def test_what_does_not_pass_by_environment_counts_what_is_not_shown_too(open_page: Open) -> None:
    shares = (
        Share("", 0, {"TRK007": ShareCounts(0, 33, 0)}),
        Share("production", 1, {"ENV002": ShareCounts(1200, 1, 2), "TRK007": ShareCounts(1, 0, 0)}),
    )
    page = open_page(replace(everything(), environments=shares))
    assert page.locator(".crossed thead th").all_inner_texts()[1:] == ["production", "none, or not known"]
    rows = [row.split("\t") for row in page.locator(".crossed tbody tr, .crossed tfoot tr").all_inner_texts()]
    assert rows == [
        ["Environments for each stage", "1,200 fail, 1 unknown, 2 waived", "none"],
        ["Development tracked with MLflow", "1 fail", "33 unknown"],
        ["All of them", "1,201 fail, 1 unknown, 2 waived", "33 unknown"],
    ]


def test_each_group_is_a_page_with_its_evidence(open_page: Open) -> None:
    page = open_page(everything())
    page.get_by_role("link", name=re.compile("Stages do not share a catalog")).click()
    assert page.url.endswith("#ENV002")
    expect(page.locator("article:visible")).to_have_count(1)
    assert page.locator("#overview").is_hidden()
    shown = page.locator("article:visible").inner_text()
    for text in (
        "The catalog is the widest fence",
        "Give each stage a catalog of its own",
        "databricks.yml:7:16",
        "waived until 2027-03-31: one workspace until Q3",
        "Remedy: give it a default",
        "lakewarden explain ENV002",
    ):
        assert text in shown
    page.get_by_role("link", name="All findings").click()
    expect(page.locator("article:visible")).to_have_count(0)
    assert page.locator("#overview").is_visible()


def test_a_link_may_name_the_rule_alone(open_page: Open) -> None:
    page = open_page(everything(), "#TRK007")
    expect(page.locator("article:visible h3")).to_contain_text("TRK007")


def test_ten_thousand_findings_are_all_there_and_can_be_filtered(open_page: Open) -> None:
    page = open_page(many(10_000))
    status = page.get_by_role("status")
    expect(status).to_have_text("10,000 of 10,000 findings shown")
    assert page.locator("tr[data-verdict]").count() == 10_000
    page.get_by_label("Search").fill("table_9999 many")
    expect(status).to_have_text("1 of 10,000 findings shown")
    assert page.locator("#groups li:visible").count() == 1
    page.get_by_role("button", name="Show all").click()
    expect(status).to_have_text("10,000 of 10,000 findings shown")
    page.locator("select[name=environment]").select_option("staging")
    page.locator("select[name=severity]").select_option("error")
    expect(status).to_have_text("1,667 of 10,000 findings shown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["", "#ENV002"])
def test_axe_finds_nothing(open_page: Open, scheme: str, place: str) -> None:
    page = open_page(over_time(15), place, color_scheme=scheme, bypass_csp=True)
    page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true })")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_controls(open_page: Open, tmp_path: Path, scheme: str) -> None:
    (tmp_path / "report.json").write_text(report("json", everything()), encoding="utf-8")
    told = lakewarden(tmp_path, "report", "report.json", "--controls", "soc2", "--output-format", "html")
    assert told.code == 0, told.err
    (tmp_path / "controls.html").write_text(told.out, encoding="utf-8")
    page = open_page(tmp_path / "controls.html", color_scheme=scheme, bypass_csp=True, viewport={"width": 360, "height": 640})
    assert page.locator("tbody tr").count() > 40
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_everything_is_there(open_page: Open) -> None:
    page = open_page(everything(), java_script_enabled=False)
    assert page.locator("article:visible").count() == 3
    assert page.locator("#filters").is_hidden()
    assert page.locator(".chart").is_hidden()


def test_on_paper_everything_is_there(open_page: Open) -> None:
    page = open_page(everything(), "#ENV002", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("article:visible").count() == 3
    assert page.locator("#overview").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF-")


def test_nothing_is_wider_than_a_telephone(open_page: Open) -> None:
    page = open_page(over_time(15), viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_is_hostile_stays_text(open_page: Open) -> None:
    page = open_page(hostile(ATTACK))
    assert page.title().startswith("Lakewarden lint:")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert "49" not in page.locator("article").first.inner_text()
    assert "{{ 7 * 7 }}" in page.content()


def test_only_its_own_scripts_run(browser: Browser, tmp_path: Path) -> None:
    """Were a text not escaped after all, the policy of the page would stop it."""
    written = report("html", everything()).replace("</main>", "<script>document.title = 'hit'</script></main>")
    (tmp_path / "injected.html").write_text(written, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "injected.html").as_uri())
    assert page.title() != "hit"
    page.close()


def test_an_address_is_a_link_only_where_it_is_of_the_web(open_page: Open) -> None:
    page = open_page(
        result(
            finding(origin=Origin(url="https://one.example.com/jobs/1")),
            finding(SIGNATURE, origin=Origin(url="javascript:alert(1)")),
        )
    )
    links = page.locator("article a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert "https://one.example.com/jobs/1" in links
    assert not any(link.startswith("javascript") for link in links)


def test_what_is_unknown_is_never_green(open_page: Open) -> None:
    unknown = finding(verdict=Verdict.UNKNOWN, message="cannot tell")
    for made, state in (
        (everything(), "bad"),
        (result(unknown, incomplete=("a.yml: broken",), exit_code=3), "open"),
        (result(exit_code=4), "open"),
        (result(finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed"))), "good"),
    ):
        assert open_page(made).locator("h1").get_attribute("class") == state


class Tags(HTMLParser):
    """Sees that every element that was opened is closed."""

    VOID = frozenset({"meta", "br", "input", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID and tag not in ("p", "li", "option"):
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value is not None]

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("p", "li", "option"):
            assert self.open.pop() == tag


def test_elements_are_closed_and_ids_are_unique() -> None:
    for made in (everything(), result(), many(20)):
        read = Tags()
        read.feed(report("html", made))
        assert read.open == []
        assert len(read.ids) == len(set(read.ids))
