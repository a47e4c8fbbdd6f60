"""Products: the files that a run of the workflow makes, from its experiment.

Paths begin with ``<results>``, which Snakemake replaces.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from speechdt.trials.grid import CROSSED
from speechdt.workflow.conditions import plan
from speechdt.workflow.experiment import Experiment
from speechdt.workflow.labels import labels
from speechdt.workflow.ready_made import ready_made, version_pairs

TEXT_TABLES = (
    *("matrix.md", "matrix.tex", "thresholds.md", "thresholds.tex", "latency.md", "detectors.md"),
)
TABLES = (
    *("matrix", "metrics", "reliability", "thresholds", "curves", "latency", "pareto"),
    *("comparisons", "surface", "contour", "threshold_sensitivity", "origins"),
    *("levels", "choices", "presentations"),
    *("operating_points", "roc", "cases", "score_shares"),
)
LADDER_MS = 500
"""The report lets one hear items of about this duration: long enough to hear, short for a page."""
ERROR_TABLES = ("errors", "errors_common", "errors_pairs", "error_sources")


@dataclass(frozen=True)
class Products:
    """Files that the rules make.

    Attributes
    ----------
    experiment : Experiment
    drawn_from : mapping
        Tables that each figure of the catalogue is drawn from.
    formats : sequence of str
        Formats of a figure.
    """

    experiment: Experiment
    drawn_from: Mapping[str, Sequence[str]]
    formats: Sequence[str]

    def scores(self, runs: Iterable[str], split: str, cells: Iterable[str]) -> list[str]:
        """Return the score files of runs on cells of a split."""
        cells = list(cells)
        return [f"<results>/scores/{run}/{split}/{cell}.parquet" for run in runs for cell in cells]

    def cells(self, split: str, cells: Iterable[str]) -> list[str]:
        """Return cell files of a split."""
        return [f"<results>/trials/{split}/{cell}.parquet" for cell in cells]

    def calibrations(self, runs: Iterable[str]) -> list[str]:
        """Return the calibration of each run."""
        return [f"<results>/calibration/{run}.json" for run in runs]

    def thresholds_of(self, runs: Iterable[str]) -> list[str]:
        """Return the decision thresholds of each run in every replicate."""
        return [f"<results>/calibration/{run}.thresholds.parquet" for run in runs]

    def choices(self, runs: Iterable[str | None]) -> list[str]:
        """Return what dev chose for each of the runs for which it chooses."""
        choosing = self.experiment.choosing
        return [f"<results>/choices/{run}.json" for run in runs if run in choosing]

    def defaults(self, runs: Iterable[str], cells: Iterable[str]) -> list[str]:
        """Return scores of test as they would be without a choice, of runs that have one."""
        cells, choosing = list(cells), self.experiment.choosing
        return [
            f"<results>/choices/default/{run}/test/{cell}.parquet"
            for run in runs
            if run in choosing
            for cell in cells
        ]

    @property
    def choosing_variants(self) -> dict[str, str]:
        """The first run of each variant for which dev chooses."""
        first = self.experiment.first_runs
        return {name: run for name, run in first.items() if run in self.experiment.choosing}

    @property
    def probed(self) -> dict[str, str]:
        """The first run of each variant with a detector of its own."""
        first = self.experiment.first_runs
        return {name: run for name, run in first.items() if run in self.experiment.scored}

    def tables_of(self, *names: str, suffix: str = ".csv") -> list[str]:
        """Return tables by name."""
        return [f"<results>/tables/{name}{suffix}" for name in names]

    def figures_of(self, names: Iterable[str], formats: Iterable[str]) -> list[str]:
        """Return figures by name."""
        formats = list(formats)
        return [f"<results>/figures/{name}.{kind}" for name in names for kind in formats]

    @property
    def text_tables(self) -> list[str]:
        """Tables of all variants as Markdown and LaTeX."""
        return self.tables_of(*TEXT_TABLES, suffix="")

    @property
    def error_tables(self) -> list[str]:
        """Tables of errors."""
        return self.tables_of(*ERROR_TABLES)

    @property
    def asked_tables(self) -> list[str]:
        """The table of order biases, where a language model is asked."""
        return self.tables_of("order_bias") if self.experiment.asked else []

    @property
    def adapter_tables(self) -> list[str]:
        """The table of adapters, where a language model is adapted."""
        return self.tables_of("adapters") if self.experiment.adapted else []

    @property
    def giveaway_tables(self) -> list[str]:
        """Where something is trained, since train's clips are rendered for that alone."""
        return self.tables_of("giveaways") if self.experiment.trained else []

    @property
    def left_out_tables(self) -> list[str]:
        """The table of runs that leave a corpus out, where there are any."""
        return self.tables_of("leave_one_out") if self.experiment.left_out else []

    @property
    def has_shifts(self) -> bool:
        """Whether a variant hears conditions around a neutral clip in noise."""
        played = plan(self.experiment)
        return bool(played.conditions) and not played.clean

    @property
    def condition_tables(self) -> list[str]:
        """Tables of conditions, where a variant hears them."""
        played = plan(self.experiment)
        if not played.conditions:
            return []
        names = ["conditions"] + ["rooms"] * bool(played.rooms)
        names += ["condition_giveaways"] * bool(self.experiment.trained)
        if self.experiment.settings["conditions"]["published"]:
            names += ["published_bank", "published_thresholds", "published_beside"]
        return self.tables_of(*names)

    @property
    def foil_variants(self) -> dict[str, list[str]]:
        """Runs of the variants that hear foils: all but ensembles, if there are to be foils."""
        if not self.experiment.settings["foils"]["items"]:
            return {}
        variants = self.experiment.variants.items()
        return {name: list(of.runs) for name, of in variants if not of.members}

    @property
    def foil_runs(self) -> list[str]:
        """Runs that hear foils."""
        return [run for runs in self.foil_variants.values() for run in runs]

    @property
    def foil_tables(self) -> list[str]:
        """The table of foils, where there are to be some."""
        return self.tables_of("foils") if self.foil_runs else []

    @property
    def ready_made(self) -> list[str]:
        """Variants with a detector that learned nothing here."""
        return ready_made(self.experiment)

    @property
    def version_pairs(self) -> list[tuple[str, str]]:
        """Pairs of versions of one detector that are compared."""
        experiment = self.experiment
        return version_pairs(experiment.settings["comparisons"], experiment.variants)[0]

    @property
    def version_tables(self) -> list[str]:
        """The table of versions, where there are any."""
        return self.tables_of("versions") if self.version_pairs else []

    @property
    def to_hear(self) -> list[str]:
        """Recordings whose label detectors contradict, where two or more are ready-made."""
        return ["<results>/corpus/to_hear.csv"] if len(self.ready_made) > 1 else []

    @property
    def hygiene_tables(self) -> list[str]:
        """The table of what hygiene checks object to."""
        return self.tables_of("hygiene") if self.experiment.checks else []

    @property
    def bank(self) -> list[str]:
        """Tables of the prompt bank."""
        if not self.experiment.used_searches:
            return []
        return self.tables_of("prompts.csv", "prompts.md", suffix="")

    @property
    def searches(self) -> list[str]:
        """Tables of the prompt searches."""
        if not self.experiment.used_searches:
            return []
        return self.tables_of("searches.csv", "searches.md", suffix="")

    @property
    def tables(self) -> list[str]:
        """All tables but those of prompts and hygiene."""
        pages = [path.replace(".csv", ".md") for path in self.left_out_tables]
        return [
            *self.text_tables,
            *self.tables_of(*TABLES),
            *self.asked_tables,
            *self.adapter_tables,
            *self.giveaway_tables,
            *self.left_out_tables,
            *self.version_tables,
            *self.condition_tables,
            *self.foil_tables,
            *pages,
            *self.tables_of("verdict.md", "verdict.csv", "instrument.json", suffix=""),
            *self.error_tables,
        ]

    @property
    def published(self) -> list[str]:
        """All that a paper may quote."""
        return self.tables + self.searches

    @property
    def drawn(self) -> list[str]:
        """Figures whose tables are all made."""
        experiment = self.experiment
        made = {
            **dict.fromkeys(("adapters", "training"), experiment.adapted),
            "prompts": experiment.used_searches,
            "hygiene": experiment.checks,
            "conditions": self.has_shifts,
        }
        return [
            name
            for name, tables in self.drawn_from.items()
            if all(made.get(table, True) for table in tables)
        ]

    @property
    def figures(self) -> list[str]:
        """Figures in all formats."""
        return self.figures_of(self.drawn, self.formats)

    @property
    def cards(self) -> list[str]:
        """Model cards of the trainings, with their test figures."""
        return [f"<results>/cards/{name}.md" for name in self.experiment.used_trainings]

    @property
    def inspection(self) -> list[str]:
        """Pages that describe the corpus and the trials."""
        return ["<results>/corpus/inspect.html", "<results>/trials/README.md"]

    @property
    def of_prompts(self) -> list[str]:
        """Tables of the bank and of searches that the report shows."""
        return [path for path in self.bank + self.searches if path.endswith(".csv")]

    @property
    def latencies(self) -> list[str]:
        """Latencies; of several runs the first is timed, since they differ in weights alone."""
        return [f"<results>/latency/{run}.json" for run in self.experiment.first_runs.values()]

    @property
    def ladder_cells(self) -> list[str]:
        """Cells of test at every SNR and one duration, of which the report lets one hear items."""
        grid = self.experiment.grid
        nearest = min(grid.duration_ms, key=lambda ms: (abs(ms - LADDER_MS), ms))
        return [cell.name for cell in grid.curve if cell.duration_ms == nearest]

    @property
    def names(self) -> dict[str, str]:
        """Name of each variant for readers."""
        names = labels(self.experiment.settings["variants"])
        return {name: names[name] for name in self.experiment.variants}

    @property
    def described(self) -> list[str]:
        """Cells of all splits; those of train where something of the matrix learns from it."""
        grid = self.experiment.grid
        noisy = [cell.name for cell in grid.noisy]
        train = self.cells("train", noisy) if self.experiment.trained else []
        return train + [path for split in CROSSED for path in self.cells(split, grid.names())]

    @property
    def errors_in_folder(self) -> bool:
        """Whether the clips of errors.html lie beside it: too many for one page.

        Known before anything ran, so that the folder can be an output, or none.
        """
        gallery, trials = (self.experiment.settings[key] for key in ("gallery", "trials"))
        trials_of_test = 2 * trials["items"]["test"] * len(self.experiment.grid.noisy)
        return bool(min(gallery["clips"], trials_of_test) > gallery["embedded"])

    @property
    def flags(self) -> list[str]:
        """Recordings that the chosen hygiene check objects to, where one is chosen."""
        chosen = self.experiment.settings["hygiene"]["flag_by"]
        return ["<results>/corpus/flags.parquet"] if chosen else []
