"""Picture of the workflow by stages: the rules of each, and which files go from which to which.

``snakemake --filegraph | python -m speechdt.workflow.stage_graph Snakefile docs/dag.svg``

A stage is a file in `rules/`; the stages stand in the order in which the Snakefile includes them.
"""

import re
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from itertools import cycle
from os.path import commonpath, relpath
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from speechdt.errors import SpeechdtError

_NODE = re.compile(r"^(\d+) \[ shape=none.*?</table>>", re.MULTILINE | re.DOTALL)
_EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)
_NAME = re.compile(r'<b><font point-size="18">(\w+)</font></b>')
_FILE = re.compile(r'<font face="monospace">(.*?)</font>')
_OUTPUT = "output &rarr;"
_RULE = re.compile(r"^(?:rule (\w+):|use rule \w+ as (\w+) with:)", re.MULTILINE)
_INCLUDE = re.compile(r'^include: "(rules/(\w+)\.smk)"', re.MULTILINE)
LETTERS = 92
"""Of a line of rules."""
WIDTH, BOX, MARGIN, GAP = 10.4, 6.3, 0.15, 0.22
"""Inches: of the picture, of a stage, around all, and between two stages."""
HEAD, LINE, BRANCH = 0.56, 0.17, 0.24
"""Inches: a stage's title, a line of rules, and what it takes from another stage."""
FIRST_LANE, LANE = 9.0, 0.2
"""Inches from the left of the line that hands on what the first stage makes, and to the next."""
LEGEND = "At the right: what a stage takes, from which. In italics: rules that did not run here."
COLOURS = ("#0072b2", "#00795a", "#b35000", "#a8477f", "#5b4fa2", "#7a5c10", "#444444")
"""Of what each stage hands on."""


class Stage(NamedTuple):
    """A file of rules.

    Attributes
    ----------
    name : str
        Stem of the file.
    about : str
        The comment that it begins with.
    rules : tuple of str
        Its rules, in their order.
    """

    name: str
    about: str
    rules: tuple[str, ...]


class Graph(NamedTuple):
    """The rules that run.

    Attributes
    ----------
    outputs : dict of str to set of str
        Files that each rule writes.
    edges : set of pairs of str
        Rules of which the second reads what the first writes.
    """

    outputs: dict[str, set[str]]
    edges: set[tuple[str, str]]


def read_stages(snakefile: Path) -> list[Stage]:
    """Return the stages of a workflow, from what its Snakefile includes; files without rules not.

    Raises
    ------
    SpeechdtError
        If the Snakefile includes no rules.
    """
    stages = []
    for path, name in _INCLUDE.findall(snakefile.read_text(encoding="utf-8")):
        text = (snakefile.parent / path).read_text(encoding="utf-8")
        rules = tuple(one or other for one, other in _RULE.findall(text))
        about = text.partition("\n")[0].removeprefix("#").strip()
        if rules:
            stages.append(Stage(name, about, rules))
    if not stages:
        raise SpeechdtError(f"{snakefile}: includes no rules")
    return stages


def read_graph(dot: str) -> Graph:
    """Return the rules that run, from what ``snakemake --filegraph`` prints.

    Raises
    ------
    SpeechdtError
        If there is no rule in it.
    """
    names: dict[str, str] = {}
    outputs: dict[str, set[str]] = {}
    for node in _NODE.finditer(dot):
        if name := _NAME.search(node[0]):
            names[node[1]] = name[1]
            written = node[0].partition(_OUTPUT)[2]
            outputs.setdefault(name[1], set()).update(_FILE.findall(written))
    if not any(outputs.values()):
        raise SpeechdtError("no graph of files on standard input: snakemake --filegraph | …")
    edges = {(names[one], names[other]) for one, other in _EDGE.findall(dot)}
    return Graph(outputs, edges)


def handed_on(stages: Sequence[Stage], graph: Graph) -> dict[tuple[str, str], list[str]]:
    """Return what one stage makes and another reads: folders of results, or files beside these.

    Parameters
    ----------
    stages : sequence of Stage
    graph : Graph
        The rules that run; those that are in no stage, such as ``all``, are left out.

    Returns
    -------
    dict
        Names in alphabetical order, by the stage that makes and the stage that reads.
    """
    stage_of = {rule: stage.name for stage in stages for rule in stage.rules}
    results = commonpath([file for files in graph.outputs.values() for file in files])
    folders_between: dict[tuple[str, str], set[str]] = {}
    for one, other in graph.edges:
        if one in stage_of and other in stage_of and stage_of[one] != stage_of[other]:
            folders = {relpath(file, results).split("/")[0] for file in graph.outputs[one]}
            folders_between.setdefault((stage_of[one], stage_of[other]), set()).update(folders)
    return {ends: sorted(names) for ends, names in folders_between.items()}


def draw(
    stages: Sequence[Stage],
    ran: Collection[str],
    handed: Mapping[tuple[str, str], Sequence[str]],
    out: Path,
) -> None:
    """Draw the stages below each other, and at the right of each what it takes from which other.

    Parameters
    ----------
    stages : sequence of Stage
    ran : collection of str
        Rules that run; the others stand in italics.
    handed : mapping
        From :func:`handed_on`.
    out : path
        SVG or PNG.
    """
    mpl.use("agg")
    boxes = _boxes(stages, ran, handed)
    below = boxes[-1].top + boxes[-1].height
    height = below + 2 * MARGIN + LINE
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "speechdt"}):
        figure = plt.figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        for box in boxes:
            _draw_box(axes, box)
        for place, box in enumerate(boxes):
            _draw_lane(axes, box, FIRST_LANE + LANE * place, boxes, handed)
        axes.text(MARGIN, below + LINE + 0.06, LEGEND, size=8, color="#444444")
        undated = {"Date": None} if out.suffix == ".svg" else None
        figure.savefig(out, dpi=120, metadata=undated)
        plt.close(figure)


class Box(NamedTuple):
    """A stage as it is drawn, in inches from the top.

    Attributes
    ----------
    stage : Stage
    run, other : list of str
        Lines that name its rules: those that run, and others.
    takes : list of str
        Stages that it takes something from, from top to bottom of its right side.
    top, height : float
    colour : str
        Of what it hands on.
    """

    stage: Stage
    run: list[str]
    other: list[str]
    takes: list[str]
    top: float
    height: float
    colour: str

    def entry(self, source: str) -> float:
        """Return the height at which what comes from another stage enters."""
        return self.top + BRANCH * (self.takes.index(source) + 0.8)


def _boxes(
    stages: Sequence[Stage], ran: Collection[str], handed: Mapping[tuple[str, str], Sequence[str]]
) -> list[Box]:
    names = [stage.name for stage in stages]
    boxes, top = [], MARGIN
    for stage, colour in zip(stages, cycle(COLOURS)):
        run, other = (
            textwrap.wrap(
                " · ".join(rule for rule in stage.rules if (rule in ran) is wanted), LETTERS
            )
            for wanted in (True, False)
        )
        takes = [name for name in names if (name, stage.name) in handed]
        text = HEAD + LINE * (len(run) + len(other)) + 0.08
        height = max(text, BRANCH * (len(takes) + 1.2))  # one more, for what it hands on
        boxes.append(Box(stage, run, other, takes, top, height, colour))
        top += height + GAP
    return boxes


def _draw_box(axes: Axes, box: Box) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (MARGIN, box.top),
            BOX,
            box.height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=to_rgba(box.colour, 0.07),
            edgecolor=box.colour,
            linewidth=1.2,
        )
    )
    left, y = MARGIN + 0.12, box.top + 0.24
    axes.text(left, y, box.stage.name, weight="bold", size=12, color=box.colour)
    axes.text(left, y + 0.2, box.stage.about, size=8, color="#444444")
    lines = [(line, "normal", "#111111") for line in box.run]
    lines += [(line, "italic", "#777777") for line in box.other]
    for place, (line, style, colour) in enumerate(lines, start=1):
        axes.text(left, y + 0.22 + LINE * place, line, size=8.5, style=style, color=colour)


def _draw_lane(
    axes: Axes,
    box: Box,
    lane: float,
    boxes: Sequence[Box],
    handed: Mapping[tuple[str, str], Sequence[str]],
) -> None:
    """Draw what a stage hands on: a line to its lane, and from there one to each that takes it."""
    takers = [other for other in boxes if (box.stage.name, other.stage.name) in handed]
    if not takers:
        return
    right = MARGIN + BOX
    start = box.top + box.height - BRANCH * 0.5
    entries = [other.entry(box.stage.name) for other in takers]
    ends = [min(start, *entries), max(start, *entries)]
    axes.plot([right, lane], [start, start], color=box.colour, linewidth=1.2)
    axes.plot([lane, lane], ends, color=box.colour, linewidth=1.2)
    axes.plot([lane], [start], marker="o", markersize=3.5, color=box.colour)
    for other, y in zip(takers, entries, strict=True):
        tip = FancyArrowPatch(
            (lane, y), (right, y), arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0
        )
        tip.set(color=box.colour, linewidth=1.2)
        axes.add_patch(tip)
        text = ", ".join(handed[box.stage.name, other.stage.name])
        axes.text(right + 0.16, y - 0.035, text, size=7.5, color=box.colour)


def main(snakefile: Path, out: Path) -> None:
    """Draw the stages of a Snakefile from the graph of files on standard input."""
    stages, graph = read_stages(snakefile), read_graph(sys.stdin.read())
    draw(stages, graph.outputs, handed_on(stages, graph), out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except SpeechdtError as error:
        sys.exit(f"error: {error}")
