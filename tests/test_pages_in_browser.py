"""The pages that commands write, opened in a real browser as a file: alone, in light and dark, wide and narrow."""

import pytest
from fake_result import result
from small import small
from watched import brightness, watched

from macrohard import runs
from macrohard.report.page import write_report
from macrohard.swings import swings

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
LETTERS = """[...document.querySelectorAll('figure svg text')].filter(e => e.getBoundingClientRect().height > 0)
    .map(e => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getScreenCTM().a)"""
"""Heights of the letters in the pictures that are shown, in pixels of the window."""
PAGES = ("run", "site", "swings", "build")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A run's report, one with all there is on a large site, and the pages of swings and of a build-out."""
    from macrohard.buildout.site import site_named
    from macrohard.buildout.told import told
    from macrohard.report import build_page
    from macrohard.report.paper import write_page
    from macrohard.report.swing_page import write_swing_page

    folder = tmp_path_factory.mktemp("pages")
    runs.run(small(), out=folder / "run")
    write_report(result(), folder / "site.html")
    write_swing_page(swings(small(), 20.0), folder / "swings.html")
    write_page(build_page.page(told(site_named("colossus1"), replicates=50)), folder / "build.html")
    return {"run": folder / "run" / "report.html", **{name: folder / f"{name}.html" for name in PAGES[1:]}}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_page_stands_alone_and_fits(chromium, pages, name, viewport):
    """Offline: no request, no complaint, pictures drawn, letters to be read, nothing over the edge of the window."""
    with watched(chromium, "", viewport=viewport, offline=True) as page:
        page.goto(pages[name].as_uri())
        assert page.locator("h1").count() == 1
        names = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(names) == len(set(names)), "a link leads to the first of two"
        shown = [each for each in page.locator("figure svg").all() if each.is_visible()]
        assert shown and all(each.bounding_box()["height"] > 5 for each in shown)
        assert min(page.evaluate(LETTERS)) >= 8.0
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_dark_where_the_browser_is(chromium, pages, name):
    """Light letters on dark ground, and the other way round."""
    with watched(chromium, "", color_scheme="dark", offline=True) as page:
        page.goto(pages[name].as_uri())
        assert brightness(page, "body", "backgroundColor") < 60 < 190 < brightness(page, "h1", "color")
        page.emulate_media(color_scheme="light")
        assert brightness(page, "body", "backgroundColor") > 190 > 60 > brightness(page, "h1", "color")


def test_the_contents_of_a_report_lead_to_its_sections(chromium, pages):
    """Every link within the page has somewhere to go, and clicking one goes there."""
    with watched(chromium, "", viewport=WIDE, offline=True) as page:
        page.goto(pages["run"].as_uri())
        links = [each.get_attribute("href") for each in page.locator("nav a").all()]
        assert links and all(page.locator(link).count() == 1 for link in links)
        page.locator("nav a").last.click()
        assert page.locator(links[-1]).is_visible() and page.evaluate("window.scrollY") > 500
