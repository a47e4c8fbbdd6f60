"""The page: complete, well-formed, the same bytes twice, and nothing loaded from elsewhere."""

from urllib.parse import unquote

import pandas as pd
import pytest
from support.made_outcomes import error_tables, outcome_tables
from support.made_tables import HARDWARE, NAMES, make
from support.pages import CITATION, SVG, Page, made_ladder, results

from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.pages.citation import bibtex, reference
from speechdt.reporting.pages.environment import TEMPLATES
from speechdt.reporting.pages.parts import PIXELS_PER_POINT, compact, data_uri, width
from speechdt.reporting.pages.report.hygiene import sentences
from speechdt.reporting.pages.report.page import SECTIONS, render
from speechdt.reporting.pages.report.sections import data
from speechdt.reporting.pages.report.sections.latency import machines
from speechdt.reporting.tables.verdict import Finding


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.campaign), 9])
def count(request):
    return request.param


@pytest.fixture(scope="module")
def page(count):
    return Page(render(results(count)))


def test_it_is_well_formed(page):
    assert page.html.startswith("<!DOCTYPE html>")
    assert page.open == []
    assert len(page.html) < 8e6


def test_ids_are_unique_and_links_lead_somewhere(page):
    assert len(page.ids) == len(set(page.ids))
    targets = [value for _, name, value in page.attributes if name == "href"]
    assert {target[1:] for target in targets if target.startswith("#")} <= set(page.ids)
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert set(labels) <= set(page.ids)


def test_nothing_is_loaded_from_elsewhere(page):
    loaded = [value for _, name, value in page.attributes if name in ("src", "href", "srcset")]
    beside = {"errors.html"}  # pages to go to, not parts of this one
    assert all(value.startswith(("data:", "#")) for value in loaded if value not in beside)
    style = page.html.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert ("script", "src") not in [(tag, name) for tag, name, _ in page.attributes]


def test_every_variant_has_its_row_in_every_table_of_variants(page, count):
    for table in ("comparison", "by-snr", "by-duration", "by-category", "decisions", "stages"):
        assert [row[0].split()[0] for row in page.rows[table][1:]] == list(NAMES[:count]), table
    assert len(page.rows["reliability-errors"]) == 1 + 3 * count
    assert len(page.rows["pooled-thresholds"]) == 1 + 2 * count
    assert len({len(row) for row in page.rows["comparison"]}) == 1


SHOWN = ("audiogram", "figures")


def test_every_figure_of_the_catalogue_is_there_with_its_caption(page):
    images = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    shown = [e for e in FIGURES.values() if e.section in SHOWN]
    assert len(images) == len(shown)
    text = "".join(page.text)
    for entry in shown:
        assert entry.caption in text


def test_the_verdict_stands_on_the_page_if_there_is_one():
    finding = ("minimum", "accuracy ≥ 75 %", "B4", 0.8, 0.77, 0.83)
    finding += ("reached", 0.04, "supported", "")
    verdict = pd.DataFrame([finding], columns=Finding._fields)
    page = Page(render(results(1, {"verdict": verdict})))
    assert page.rows["criteria"][1] == [
        *("minimum", "accuracy ≥ 75 %", "B4", "80.0 [77.0, 83.0]"),
        *("reached: 80.0", "0.040", "supported"),
    ]
    assert "verdict" not in Page(render(results(1))).ids


def test_a_page_of_everything_has_every_section_once_and_in_order():
    tables = make(9) | outcome_tables(make(9), NAMES[:9])
    searches = [
        {
            "search": "base",
            "winner": {"name": "", "step": 3, "prompt": "Is <someone> speaking?"},
            "control": {"winner": {"name": "baseline", "step": 0, "prompt": "Speech?"}},
        }
    ]
    tables |= error_tables(NAMES[:9])
    tables["foils"] = pd.DataFrame(
        {"variant": ["D2"], "threshold": "best", "condition": "clean", "foil": "all"}
        | {"n": 40, "groups": 20, "rate": 0.5, "low": 0.4, "high": 0.9}
    )
    page = Page(render(results(9, tables, searches=searches, ladder=made_ladder(NAMES[:9]))))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    links = [value[1:] for _, name, value in page.attributes if name == "href" and "#" in value]
    sections = [value for tag, name, value in page.attributes if (tag, name) == ("section", "id")]
    templates = {file.name.partition(".")[0] for file in (TEMPLATES / "report").iterdir()}
    assert links == sections
    assert set(sections) == templates
    assert len(sections) == len(SECTIONS)
    text = "".join(page.text)
    assert "base, search (step 3)Is <someone> speaking?" in text.replace("\n", "")
    assert "base, random search (the bank's “baseline”)Speech?" in text.replace("\n", "")


@pytest.fixture(scope="module")
def whole():
    """A page of two detectors with all sections."""
    return render(results(2, make(2) | outcome_tables(make(2), NAMES[:2])))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_stands_once_and_in_its_section(name, whole):
    (before, after) = whole.split(f'<figure id="figure-{name.replace("_", "-")}">')
    section = before.rpartition('<section id="')[2].partition('"')[0]
    assert section == FIGURES[name].section
    assert f"figures/{name}.pdf" in after


def test_hygiene_says_what_it_would_remove_and_what_is_left():
    counts = pd.DataFrame(
        [
            ("plan", "SPEECH", "speech", 751, 56),
            ("plan", "NONSPEECH", "music", 1086, 1085),
            ("plan", "NONSPEECH", "noise", 86, 0),
        ],
        columns=["check", "label", "category", "recordings", "flagged"],
    )
    metrics = pd.DataFrame(
        [("all", 4000, "accuracy"), ("hygiene", 44, "accuracy")], columns=["by", "n", "metric"]
    )
    removed, left = sentences(counts, metrics)
    assert removed == (
        "The check “plan” would remove 56 of 751 SPEECH and 1,085 of 1,172 NONSPEECH recordings."
    )
    assert left == (
        "A flagged recording is heard in 3,956 of 4,000 test trials; 44 are left, all of one "
        "class, so that they have no balanced accuracy."
    )
    page = Page(render(results(1, {"hygiene": counts})))
    assert "figure-hygiene" in page.ids
    assert removed in "".join(page.text)
    both = pd.concat([metrics, metrics.assign(metric="balanced_accuracy")])
    assert "under Robustness" in sentences(counts, both)[1]
    assert len(sentences(counts, metrics[:1])) == 1
    assert "figure-hygiene" not in Page(render(results(1))).ids


def test_censored_thresholds_are_explained():
    page = Page(render(results(4)))
    headings, *rows = page.rows["comparison"]
    dt75 = {row[0].split()[0]: row[headings.index("DT75, own θ")] for row in rows}
    assert dt75["D1"] == "undefined"
    assert dt75["A1"].startswith("> 10")
    assert dt75["A2"].startswith("< −5")
    titles = {value for tag, name, value in page.attributes if (tag, name) == ("abbr", "title")}
    assert any("background alone" in title for title in titles)
    assert any("Above the tested range" in title for title in titles)
    assert any("Below the tested range" in title for title in titles)


def test_two_runs_write_the_same_bytes():
    assert render(results(2)) == render(results(2))


def test_data_counts():
    page = Page(render(results(1)))
    assert page.rows["sources"] == [
        ["Class", "Category", "Train", "Dev", "Test", "All"],
        ["SPEECH", "speech", "2 (1)", "0 (0)", "1 (1)", "3 (2)"],
        ["NONSPEECH", "music", "0 (0)", "1 (1)", "0 (0)", "1 (1)"],
        ["all", "", "2 (1)", "1 (1)", "1 (1)", "4 (3)"],
    ]
    assert page.rows["items"][-1] == ["all", "3", "3"]
    assert page.rows["audit"] == [["Kind", "Dev", "Test", "Shared"], ["source", "5", "1,234", "0"]]
    assert "every file of the corpus could be used" in page.html


def test_rejected_files_are_listed_as_plain_text():
    rejected = pd.DataFrame(
        {
            "path": [f"bad/<b>{place} [1].wav" for place in range(130)],
            "source_id": "",
            "reason": ["< not audio [2] & worse"] * 129 + [None],
        }
    )
    page = Page(render(results(1, {"rejected": rejected})))
    assert page.rows["rejected"][1] == ["bad/<b>0 [1].wav", "< not audio [2] & worse"]
    assert len(page.rows["rejected"]) == 1 + data.MOST_REJECTED
    assert "of 130" in page.html


def test_configuration_versions_and_revision_are_there():
    page = Page(render(results(1)))
    text = "".join(page.text)
    assert "snr_db: [-5, 0, 10]" in text
    assert ["numpy", "2.4"] in page.rows["versions"]
    assert "0123456789ab" in text
    assert "not a git checkout" in render(results(1, revision=""))
    changed = render(results(1, revision="0123456789ab+changes"))
    assert "not committed" in changed


def test_variants_measured_on_one_machine_share_a_line():
    gpu = HARDWARE | {"gpus": ["A GPU, 80 GiB"]}
    by_machine = machines({"A1": gpu, "A2": gpu, "D1": HARDWARE})
    assert list(by_machine.values()) == [["A1", "A2"], ["D1"]]
    assert "A GPU" in next(iter(by_machine))


def test_a_citation_as_text_and_as_bibtex():
    where = "https://doi.org/10.1234/5678"
    text = f"Doe, Jane, The others (2026). A title (version 0.1.0). {where}."
    assert reference(CITATION) == text
    assert bibtex(CITATION).splitlines() == [
        "@software{speechdt,",
        "  author  = {Doe, Jane and {The others}},",
        "  title   = {{A title}},",
        "  version = {0.1.0},",
        "  year    = {2026},",
        "  doi     = {10.1234/5678},",
        "}",
    ]
    assert "See CITATION.cff" in render(results(1, citation={}))


def test_the_citation_of_the_repository_can_be_read(root):
    import yaml

    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["title"] in reference(citation)
    assert bibtex(citation).count("{") == bibtex(citation).count("}")


def test_a_figure_keeps_its_size():
    assert width(SVG) == round(360 * PIXELS_PER_POINT)


def test_a_figure_in_the_page_is_the_same_drawing_in_fewer_bytes():
    drawn = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" width="360pt">
 <metadata>
  <a/>
 </metadata>
 <!-- −20 % -->
 <path d="M 41.682595 -0.001
L 166.057464 15.1
z
" style="fill: #ffffff" transform="scale(0.015625)"/>
</svg>
"""
    assert compact(drawn) == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="360pt">'
        '<path d="M 41.68 0 L 166.06 15.1 z " '
        'style="fill: #ffffff" transform="scale(0.015625)"/></svg>'
    )
    uri = data_uri(drawn)
    assert not set(uri) & set("<>\"'#&\n")
    assert unquote(uri.partition(",")[2]) == compact(drawn)


@pytest.mark.parametrize("name", ["psychometric_snr", "surface"])
def test_the_largest_figures_of_twelve_variants_leave_room_in_the_page(name, tmp_path):
    tables = {table: make(len(NAMES))[table] for table in FIGURES[name].tables}
    save(draw(name, tables, NAMES), tmp_path / name, ["svg"])
    assert len(data_uri((tmp_path / f"{name}.svg").read_text())) < 600_000
