"""Criteria and decision tree of a study, as records made from YAML (`rules/criteria.yaml`)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from speechdt.errors import SpeechdtError
from speechdt.reporting.tables.formatting import minus
from speechdt.reporting.tables.matrix import CLEAN_METRICS, METRICS, THRESHOLDS

LAST_BASELINE, EVERY_BASELINE = "last baseline", "every baseline"
"""What may stand in the place of a variant: with a space in it, no variant has such a name."""
READER, WORKFLOW, ALL, ANY = "reader", "workflow", "all", "any"
"""Who judges a criterion, or how many of its conditions must be met."""
PERCENT, DECIMAL, DB, MS, LOSS, RATIO = "percent", "decimal", "dB", "ms", "loss", "ratio"
"""Units in which measures are shown."""
LATENCY = ("latency_p50_ms", "latency_p95_ms")
"""Measures from ``latency.csv``."""
TRAINING_LOSS = "training_loss"
"""The last logged loss of a variant's adapter, from ``training.csv``."""
DIFFERENCES = {"balanced_accuracy": "difference", "dt75_roc10_db": "dt75_difference_db"}
"""Metrics that ``comparisons.csv`` has differences of, and their columns there."""
OF_MATRIX = (*METRICS, *(f"clean_{name}" for name in CLEAN_METRICS), *THRESHOLDS)
"""Measures from ``matrix.csv``."""
_NO_SHARES = ("auc", "dprime", "criterion", "ece", "mce", "brier")
"""Metrics that are shown as they are, by how their names begin."""
BOUNDS = {"at_least": 0.0, "above": 1e-9, "at_most": 0.0, "below": -1e-9}
"""Keys of a bound, and how far beyond it a figure must be: no difference at all is no gain."""
KEYS = ("metric", "variant", "over", "relative_to", "at_each", *BOUNDS)
"""Keys of a condition."""
VARIANTS = ("variant", "over", "relative_to")
"""Those that name variants."""
WAYS = ("metric", "all_of", "any_of", "judged_by")
"""Keys by one of which a criterion is judged."""


class Condition(NamedTuple):
    """A measure and its bound.

    Attributes
    ----------
    metric : str
        One of `OF_MATRIX`, `LATENCY` or `TRAINING_LOSS`.
    variant : str
        Whose; empty for the one that is judged.
    over, relative_to : str
        Variant that a difference or a ratio is to; at most one of the two is not empty.
    at_each : str
        Dimension at whose levels it is measured one by one; empty for all trials together.
    bound : float
        In the unit of the metric, rates as shares.
    limit : float
        The worst figure that is good enough: the bound, or just beyond it.
    below : bool
        Whether figures below the limit are good.
    """

    metric: str
    variant: str
    over: str
    relative_to: str
    at_each: str
    bound: float
    limit: float
    below: bool

    @property
    def unit(self) -> str:
        """Unit of the figure for readers."""
        if self.relative_to:
            return RATIO
        of_metric = {TRAINING_LOSS: LOSS, **dict.fromkeys(LATENCY, MS)}
        of_metric |= dict.fromkeys(THRESHOLDS, DB)
        plain = self.metric.removeprefix("clean_").startswith(_NO_SHARES)
        return of_metric.get(self.metric, DECIMAL if plain else PERCENT)

    @property
    def source(self) -> str:
        """Where the figure is from."""
        if self.over:
            return "tables/comparisons.csv"
        if self.at_each:
            return "tables/metrics.csv"
        of_metric = {TRAINING_LOSS: "tables/training.csv"}
        of_metric |= dict.fromkeys(LATENCY, "tables/latency.csv")
        return of_metric.get(self.metric, "tables/matrix.csv")

    def named(self, judged: str, baselines: Mapping[str, str]) -> "Condition":
        """Return the condition with the variant that is judged, and baselines, by their names."""
        names = {"": judged, **baselines}
        return self._replace(
            variant=names.get(self.variant, self.variant),
            over=baselines.get(self.over, self.over),
            relative_to=baselines.get(self.relative_to, self.relative_to),
        )

    def write(self, text: str) -> str:
        """Return a text with its ``{bound}`` and ``{reference}`` filled in."""
        bound = 100 * self.bound if self.unit == PERCENT else self.bound
        return text.format(bound=minus(f"{bound:g}"), reference=self.over or self.relative_to)


def roles(baselines: Sequence[str], each: str = "") -> dict[str, str]:
    """Return the names of baselines by what stands in their place in criteria, if there are any."""
    return {LAST_BASELINE: baselines[-1], EVERY_BASELINE: each} if baselines else {}


class Criterion(NamedTuple):
    """Criterion of a study, with the conditions under which it is met.

    Attributes
    ----------
    level : str
        minimum, target, stretch, or a phase.
    text : str
        In the study's words, with ``{bound}`` and ``{reference}``.
    conditions : tuple of Condition
        Empty where no figure can say.
    how : str
        `ALL` or `ANY` of the conditions, or `READER` or `WORKFLOW`.
    note : str
        Where the figure is from, or what else there is to say.
    """

    level: str
    text: str
    conditions: tuple[Condition, ...]
    how: str
    note: str

    def named(self, judged: str, baselines: Sequence[str]) -> Iterator["Criterion"]:
        """Yield the criterion with variants named; one a baseline, if it asks for every one."""
        asked = {getattr(one, key) for one in self.conditions for key in VARIANTS}
        for baseline in baselines if EVERY_BASELINE in asked else [""]:
            names = roles(baselines, baseline)
            conditions = tuple(one.named(judged, names) for one in self.conditions)
            text = conditions[0].write(self.text) if conditions else self.text
            yield self._replace(text=text, conditions=conditions)


class Question(NamedTuple):
    """A question of the decision tree, and what to do next by its answer."""

    text: str
    condition: Condition
    met: str
    not_met: str


class Criteria(NamedTuple):
    """All criteria of a study, and its decision tree; the tree may be empty."""

    criteria: tuple[Criterion, ...]
    tree: tuple[Question, ...]

    def units(self, baselines: Sequence[str]) -> dict[str, str]:
        """Return what the figures of each criterion are shown in, by its text."""
        named = (one for criterion in self.criteria for one in criterion.named("", baselines))
        return {one.text: one.conditions[0].unit for one in named if one.conditions}


def criteria_of(given: Mapping[str, Any], variants: Collection[str] | None = None) -> Criteria:
    """Return the criteria that a mapping describes.

    Parameters
    ----------
    given : mapping
        ``criteria`` and ``tree``, with the types of `rules/criteria.schema.yaml`.
    variants : collection of str, optional
        All that may be named; without it, any name will do.

    Raises
    ------
    SpeechdtError
        Naming the key: a metric or variant that does not exist, a measure without bound or with
        two, keys that do not go together, a text with unknown braces.
    """
    criteria = [_criterion(one, f"criteria.{i}") for i, one in enumerate(given["criteria"])]
    tree = [_question(one, f"tree.{i}") for i, one in enumerate(given.get("tree") or ())]
    for section in ("criteria", "tree"):
        for i, one in enumerate(given.get(section) or ()):
            for where, condition in _conditions(one, f"{section}.{i}"):
                _check_variants(condition, where, variants)
    return Criteria(tuple(criteria), tuple(tree))


def _conditions(one: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the conditions of a criterion or question, and the keys that lead to them."""
    for key in ("all_of", "any_of"):
        for i, condition in enumerate(one.get(key) or ()):
            yield f"{where}.{key}.{i}", condition
    if "metric" in one:
        yield where, one


def _criterion(given: Mapping[str, Any], where: str) -> Criterion:
    ways = [key for key in WAYS if key in given]
    if len(ways) != 1:
        raise SpeechdtError(
            f"{where}: has {_listed(ways)} of {', '.join(WAYS)}; one of them judges it"
        )
    (way,) = ways
    stray = [key for key in KEYS if key in given and way != "metric"]
    if stray:
        raise SpeechdtError(f"{where}: {stray[0]} does not go with {way}")
    conditions = tuple(_condition(one, at) for at, one in _conditions(given, where))
    how = {"any_of": ANY, "judged_by": given.get("judged_by", "")}.get(way, ALL)
    note = given.get("note", conditions[0].source if conditions else "")
    _check_text(given["criterion"], f"{where}.criterion")
    return Criterion(given["level"], given["criterion"], conditions, how, note)


def _question(given: Mapping[str, Any], where: str) -> Question:
    _check_text(given["question"], f"{where}.question")
    condition = _condition(given, where)
    if EVERY_BASELINE in (getattr(condition, key) for key in VARIANTS):
        raise SpeechdtError(f"{where}: '{EVERY_BASELINE}' would be several questions; name one")
    return Question(given["question"], condition, given["met"], given["not_met"])


def _condition(given: Mapping[str, Any], where: str) -> Condition:
    metric = given.get("metric")
    metrics = (*OF_MATRIX, *LATENCY, TRAINING_LOSS)
    if metric not in metrics:
        named = f"no metric '{metric}'" if metric else "no metric is named"
        raise SpeechdtError(f"{where}: {named}; there are: {', '.join(metrics)}")
    _check_keys(given, metric, where)
    bounds = [key for key in BOUNDS if key in given]
    if len(bounds) != 1:
        raise SpeechdtError(
            f"{where}: has {_listed(bounds)} of {', '.join(BOUNDS)}; one is the bound"
        )
    (kind,) = bounds
    bound = float(given[kind])
    return Condition(
        metric,
        **{key: given.get(key, "") for key in (*VARIANTS, "at_each")},
        bound=bound,
        limit=bound + BOUNDS[kind],
        below=kind in ("at_most", "below"),
    )


def _check_keys(given: Mapping[str, Any], metric: str, where: str) -> None:
    """Check that what is asked of a metric is in the tables."""
    asked = [key for key in ("over", "relative_to", "at_each") if key in given]
    if len(asked) > 1:
        raise SpeechdtError(f"{where}: {' and '.join(asked)} do not go together")
    of_key = {"over": DIFFERENCES, "relative_to": LATENCY, "at_each": METRICS}
    for key in asked:
        if metric not in of_key[key]:
            raise SpeechdtError(
                f"{where}.{key}: not measured of {metric}; it is of {', '.join(of_key[key])}"
            )


def _check_variants(given: Mapping[str, Any], where: str, variants: Collection[str] | None) -> None:
    for key in VARIANTS:
        name = given.get(key, LAST_BASELINE)
        if variants is not None and name not in (LAST_BASELINE, EVERY_BASELINE, *variants):
            raise SpeechdtError(
                f"{where}.{key}: no variant '{name}'; there are: {', '.join(variants)}"
            )


def _check_text(text: str, where: str) -> None:
    try:
        text.format(bound="", reference="")
    except (KeyError, IndexError, ValueError) as error:
        raise SpeechdtError(f"{where}: only {{bound}} and {{reference}} are filled in") from error


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names) or "none"
