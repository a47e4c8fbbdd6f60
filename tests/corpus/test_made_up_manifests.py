"""Manifests as nobody would write them: each row is used or rejected, or the whole is a line."""

import csv
import io

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speechdt.corpus import index, labels, readers
from speechdt.errors import SpeechdtError

RATE = 16_000
HEADER = ["path", "label", "category", "group_id", "start", "end", "vocals", "source_id"]
ROWS = [
    ["a.wav", "SPEECH", "speech", "one", "", "", "no", ""],
    ["a.wav", "SPEECH", "speech", "one", "0.1", "0.6", "no", ""],
    ["b.wav", "NONSPEECH", "music", "two", "", "", "yes", "b"],
    ["b.wav", "NONSPEECH", "noise", "two", "0", "0.5", "", "c"],
]
ODD = [
    *("", " ", "nan", "inf", "-1", "1e400", "0.5", "/etc/passwd", "../x.wav", "a.wav#t=0,1", "."),
    *("speech", "SPEECH", "Non-speech", "\x00", "é" * 300, "a\nb", '"', ",", "b.wav", "none", "\ufeff"),
]
CELLS = st.sampled_from(ODD) | st.text(max_size=12)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["cell", "column", "row", "bytes", "cut", "twice"]),
        st.integers(0, 10**6),
        CELLS,
        st.binary(max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def made(changes):
    """Return the bytes of a manifest."""
    table = [HEADER.copy(), *([*row] for row in ROWS)]
    raw = []
    for how, number, cell, data in changes:
        row = table[number % len(table)]
        if how == "cell" and row:
            row[number // 7 % len(row)] = cell
        elif how == "column":
            for line in table:
                del line[number % len(HEADER) : number % len(HEADER) + 1]
        elif how == "row":
            table.insert(number % len(table), [cell] * (number % 11))
        elif how == "twice":
            table.append(row.copy())
        else:
            raw.append((how, number, data))
    text = io.StringIO()
    csv.writer(text).writerows(table)
    content = bytearray(text.getvalue().encode(errors="surrogatepass"))
    for how, number, data in raw:
        place = number % max(len(content), 1)
        if how == "cut":
            del content[place:]
        else:
            content[place:place] = data
    return bytes(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(3)
    for name in ("a", "b"):
        soundfile.write(folder / f"{name}.wav", rng.uniform(-0.4, 0.4, RATE), RATE)
    return folder


def check(folder, content):
    (folder / "manifest.csv").write_bytes(content)
    corpus = {"kind": "folder", "path": str(folder)}
    problems = readers.check([corpus])
    for problem in problems:
        assert "\n" not in problem
    if problems:
        return
    try:
        sources = index.read_corpora([corpus])
        usable, rejected = index.index(sources, 200)
        notes = readers.notes(corpus, sources)
        labels.check(usable)
    except SpeechdtError as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    assert len(usable) + len(rejected) == len(sources)
    assert all(reason and "\n" not in reason for reason in rejected["reason"])
    assert all("\n" not in note for note in notes)


@pytest.mark.parametrize("cell", ["a\nb", "a\rb", "é" * 300, "a\u2028b", "\x00"])
def test_odd_text_in_each_cell(folder, cell):
    for number in range((len(ROWS) + 1) * len(HEADER)):
        row = number % (len(ROWS) + 1)
        check(folder, made([("cell", row + 7 * (len(ROWS) + 1) * number, cell, b"")]))


SLOW = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=40, derandomize=True, **SLOW)
@given(changes=CHANGES)
def test_a_few(folder, changes):
    check(folder, made(changes))


@pytest.mark.campaign
@settings(max_examples=1000, **SLOW)
@given(changes=CHANGES)
def test_a_thousand(folder, changes):
    check(folder, made(changes))
