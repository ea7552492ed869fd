"""The HTML report in a real browser, loaded from disk: selecting, filtering, keys, dark mode, paper, hostile values."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.graph import Edge, graph_of_edges
from planner.plan import Action, FieldChange, FieldOp, Plan
from planner.render.plan_html import render_plan_html
from planner.text_safe import safe_text
from tests.screens.browser import Browser, browser
from tests.testbed.fixtures import part
from tests.unit.render.hostile_strings import STRINGS
from tests.unit.render.sample_plans import change, many, mixed, plan_of

pytestmark = pytest.mark.integration

OPEN = "return [...document.querySelectorAll('article.open')].map(one => one.id)"
PICKED = "return document.querySelector('article.picked .address')?.textContent ?? ''"
SHOWN = "return [...document.querySelectorAll('article')].filter(one => one.offsetHeight > 0).length"
ENTRY = "return [...document.querySelectorAll('article')].find(one => one.textContent.includes(arguments[0])).id"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with part(), browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, tmp_path: Path) -> Iterator[Browser]:
    """The browser with the report of the sample plan; nothing may stand in its console at the end."""
    yield show(chromium, tmp_path, render_plan_html(mixed(), command="hwplan apply"))
    assert chromium.complaints() == []


def show(chromium: Browser, folder: Path, text: str) -> Browser:
    """Load a report from disk, light and on a screen of ordinary size."""
    file = folder / "report.html"
    file.write_text(text, encoding="utf-8")
    chromium.size(1440, 900)
    chromium.media()
    chromium.complaints()
    chromium.open(file)
    return chromium


def test_a_few_changes_are_open_and_one_button_folds_and_opens_all(page: Browser) -> None:
    """What is drifted or unchanged stays folded: it is not what the reviewer is asked about."""
    planned = "one.dataset.number > 0 || one.dataset.action === 'blocked'"
    changed = f"return [...document.querySelectorAll('article')].filter(one => {planned}).map(one => one.id)"
    assert page.run(OPEN) == page.run(changed) != []
    assert page.run(SHOWN) == 12
    assert page.run("return document.querySelectorAll('.node').length") == 12
    page.click("#all")
    assert page.run(OPEN) == []
    page.click("#all")
    assert len(page.run(OPEN)) == 12


def test_many_changes_are_folded(chromium: Browser, tmp_path: Path) -> None:
    plan = plan_of(*(change(f"ConfigMap/n/c{at}", Action.UPDATE) for at in range(21)))
    assert show(chromium, tmp_path, render_plan_html(plan)).run(OPEN) == []


def test_the_command_can_be_copied(page: Browser) -> None:
    page.click("#copy")
    page.run("return new Promise(done => setTimeout(done, 200))")
    assert page.run("return document.getElementById('copy').textContent") == "copied"


def test_it_can_be_read_at_first_sight(chromium: Browser, tmp_path: Path) -> None:
    """Names in the drawing are no smaller than 8 pixels on a screen of 1400x900, however many resources there are."""
    for count in (5, 60, 200):
        plan = plan_of(*(change(f"ConfigMap/n/c{at}", Action.UPDATE) for at in range(count)))
        page = show(chromium, tmp_path, render_plan_html(plan))
        chromium.size(1400, 900)
        chromium.open(tmp_path / "report.html")
        size = "return document.querySelector('.node .name').getBoundingClientRect()"
        box = page.run(f"{size}.toJSON()")
        assert box["height"] >= 8 and 0 <= box["top"] < 900 and 0 <= box["left"] < 1400


def test_on_a_phone_the_list_comes_before_the_graph(chromium: Browser, tmp_path: Path) -> None:
    page = show(chromium, tmp_path, render_plan_html(mixed()))
    chromium.size(390, 844)
    tops = "return ['list', 'graph'].map(id => document.getElementById(id).getBoundingClientRect().top)"
    first, second = page.run(tops)
    assert first < second
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_click_on_a_node_shows_its_difference(page: Browser) -> None:
    page.click("#all")
    key = page.run(ENTRY, "git-mirror")
    page.click(f"#n-{key}")
    assert page.run(OPEN) == [key]
    assert page.run(PICKED) == "ConfigMap/devops-infra/git-mirror"
    text = page.run("return document.querySelector('article.picked .body').innerText")
    assert "step seven" in text and "2 of 61 lines differ" in text
    assert "uid u-1, content c-1" in text
    assert "needed by" in text and "PipelineRun.tekton.dev/hwlab-v03-ci/run" in text
    assert page.run("return document.querySelectorAll('.edge.lit').length") == 1


def test_a_link_leads_to_the_other_end_of_an_edge(page: Browser) -> None:
    key = page.run(ENTRY, "git-mirror")
    page.click(f"#n-{key}")
    page.click("article.picked .ties a")
    assert page.run(PICKED) == "PipelineRun.tekton.dev/hwlab-v03-ci/run"


def test_filters_hide_what_does_not_fit(page: Browser) -> None:
    page.click(".chip[data-value=delete]")
    assert page.run(SHOWN) == 1
    assert page.run("return document.querySelectorAll('.node:not(.off)').length") == 1
    page.click(".chip[data-value=update]")
    assert page.run(SHOWN) == 4
    page.click(".chip[data-value=delete]")
    page.click(".chip[data-value=control-plane]")
    assert page.run(SHOWN) == 2
    assert page.run("return document.getElementById('shown').textContent") == "2 of 12 resources"


def test_search_finds_addresses_fields_and_values(page: Browser) -> None:
    for words, count in (("cloud-api", 2), ("spec.replicas", 1), ("step seven", 1), ("no such thing", 0)):
        page.press("/", *words, "Enter")
        assert page.run(SHOWN) == count, words
        page.click("#search")
        page.press("Escape", "Escape")
    assert page.run(SHOWN) == 12


def test_keys_alone_are_enough(page: Browser) -> None:
    page.click("#all")
    page.press("Down", "Down")
    assert page.run(PICKED) == "Secret/hwlab-v03/postgres-bootstrap"
    page.press("Enter")
    assert len(page.run(OPEN)) == 1
    page.press("g")
    assert "node" in page.run("return document.activeElement.getAttribute('class')")
    page.press("Left")
    assert page.run(PICKED) == "Namespace/hwlab-v03"
    page.press("Right", "Enter")
    assert page.run(PICKED) == "Secret/hwlab-v03/postgres-bootstrap"
    page.press("Escape")
    assert page.run(PICKED) == ""


def test_the_drawing_zooms_and_pans(page: Browser) -> None:
    where = "return document.getElementById('world').getAttribute('transform')"
    page.click("#in")
    assert "scale(1.35)" in page.run(where)
    page.run(
        """const svg = document.getElementById('canvas');
        svg.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true, clientX: 900, clientY: 500}));
        svg.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: 950, clientY: 530}));
        svg.dispatchEvent(new PointerEvent('pointerup', {bubbles: true, clientX: 950, clientY: 530}));"""
    )
    moved = page.run(where)
    page.press("0")
    assert page.run(where) == "translate(0,0) scale(1)" != moved


def test_dark_as_the_system_says_and_by_hand(page: Browser) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(colour)
    page.media(scheme="dark")
    dark = page.run(colour)
    assert light != dark
    page.click("#theme")
    assert page.run(colour) == light
    page.click("#theme")
    assert page.run(colour) == dark


def test_on_paper_everything_is_open(page: Browser) -> None:
    page.media("print", "dark")
    bodies = (
        "return [...document.querySelectorAll('article .body')].every(one => getComputedStyle(one).display === 'grid')"
    )
    assert page.run(bodies)
    assert page.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_on_paper_the_whole_graph_stands_whatever_was_looked_at(page: Browser) -> None:
    page.click(f"#n-{page.run(ENTRY, 'git-mirror')}")
    page.click("#in")
    page.size(794, 1123)
    page.media("print")
    outside = """const frame = document.getElementById('canvas').getBoundingClientRect();
        return [...document.querySelectorAll('.node')].filter(one => { const box = one.getBoundingClientRect();
        return box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom })
        .length"""
    assert page.run(outside) == 0
    assert page.run("return document.getElementById('canvas').getBoundingClientRect().width") > 700


def test_nothing_is_asked_from_the_network_and_foreign_script_is_dead(page: Browser) -> None:
    """A script that got in all the same: the policy refuses it, and says so in the console."""
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    page.run("const one = document.createElement('img'); one.src = 'http://127.0.0.1:9/x'; document.body.append(one)")
    with pytest.raises(RuntimeError, match="TrustedScript"):
        page.run("document.body.setAttribute('onclick', 'window.hurt = 1')")
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        page.run("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    refused = page.complaints()
    assert refused and all("Content Security Policy" in line or "Trusted" in line for line in refused)


def test_edges_of_a_known_graph_say_why(chromium: Browser, tmp_path: Path) -> None:
    space, child = Address.parse("Namespace/n"), Address.parse("ConfigMap/n/c")
    graph = graph_of_edges((space, child), (Edge(space, child, "namespace", "metadata.namespace"),))
    page = show(chromium, tmp_path, render_plan_html(plan_of(change("ConfigMap/n/c", Action.CREATE)), graph))
    page.click("#n-r1")
    assert "namespace: metadata.namespace" in page.run("return document.querySelector('article.picked').innerText")


def test_five_hundred_changes_stay_usable(chromium: Browser, tmp_path: Path) -> None:
    began = time.monotonic()
    page = show(chromium, tmp_path, render_plan_html(many(250)))
    assert page.run(SHOWN) == 500
    page.run("document.querySelector('.chip[data-value=update]').click()")
    assert page.run(SHOWN) == 250
    page.run("document.getElementById('n-r400').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.run(OPEN) == ["r400"]
    assert time.monotonic() - began < 60


def test_hostile_values_are_text_and_nothing_else(chromium: Browser, tmp_path: Path) -> None:
    """Five hundred of them in addresses, reasons, paths and values: shown as they are, and nothing of them lives."""
    page = show(chromium, tmp_path, render_plan_html(_hostile(), command=STRINGS[0]))
    assert page.run("return document.scripts.length") == 1
    elements = "return [...new Set([...document.querySelectorAll('*')].map(one => one.tagName.toLowerCase()))]"
    assert not set(page.run(elements)) & {"iframe", "img", "form", "object", "embed", "base", "link"}
    handlers = "return [...document.body.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
    assert not [name for name in set(page.run(handlers)) if name.startswith("on") or name == "style"]
    reported = (
        "return [...document.querySelectorAll('article')].map(one => one.querySelector(arguments[0]).textContent)"
    )
    assert page.run(reported, ".reason") == [safe_text(text) for text in STRINGS]
    assert page.run(reported, ".address") == [safe_text(f"ConfigMap/n/{text}") for text in STRINGS]
    assert page.run(reported, ".after .value") == [
        f"{{{safe_text(json.dumps(text, ensure_ascii=False))}: 1}}" for text in STRINGS
    ]
    page.run("document.querySelectorAll('.head').forEach(one => one.click())")
    with pytest.raises(RuntimeError, match="no such alert"):
        page.ask("GET", "/alert/text")
    assert page.complaints() == []


def _hostile() -> Plan:
    fields = [FieldChange(("data",), FieldOp.CHANGE, {}, {text: 1}) for text in STRINGS]
    updates = [
        change(f"ConfigMap/n/{at}", Action.UPDATE, field, reason=text)
        for at, (text, field) in enumerate(zip(STRINGS, fields, strict=True))
    ]
    named = (Address("", "ConfigMap", "", "n", text) for text in STRINGS)
    return plan_of(*(replace(one, address=address) for one, address in zip(updates, named, strict=True)))
