"""Resolution of a configuration into the records of an experiment."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from speechdt.audio.presentation import ALONE, Presentation
from speechdt.corpus.readers import check as check_corpora
from speechdt.corpus.readers import name as corpus_name
from speechdt.detectors.contract import Detector
from speechdt.errors import SpeechdtError
from speechdt.prompts.answer_options import has_options
from speechdt.prompts.bank_entries import check_entries
from speechdt.trials.grid import Grid
from speechdt.workflow import (
    hygiene_checks,
    left_out_corpora,
    presentations,
    runs,
    searches,
    variants,
)
from speechdt.workflow.experiment import Experiment, Run, Search, Training, Variant
from speechdt.workflow.labels import labels
from speechdt.workflow.left_out_corpora import LeftOut, without
from speechdt.workflow.ready_made import version_pairs

NUMBERS = re.compile(r"(\d+)")


class CorpusProblems(SpeechdtError):
    """Corpora cannot be read; one line a mistake."""


def resolve(
    settings: Mapping[str, Any], results: str, adapter_settings: Sequence[str]
) -> Experiment:
    """Resolve a configuration.

    Parameters
    ----------
    settings : mapping
        Checked against the schema, defaults filled in.
    results : str
        The results folder, as paths name it.
    adapter_settings : sequence of str
        Settings of trainings that tables show.

    Raises
    ------
    SpeechdtError
        Naming the key that is wrong.
    """
    if problems := check_corpora(settings["corpus"]):
        raise CorpusProblems("\nerror: ".join(problems))
    return _Resolver(settings, results).experiment(adapter_settings)


class _Resolver:
    """The steps of `resolve`, which share the configuration and two folders."""

    def __init__(self, settings: Mapping[str, Any], results: str) -> None:
        self.settings = settings
        self.nano = f"{results}/models/nano"
        self.adapters_folder = f"{results}/adapters"
        # By name: merged configuration files come in no order that anyone chose.
        self.entries = _present(settings["variants"])
        labels(self.entries)  # two that are called alike are refused before any job
        named = _present(settings["adapters"])
        self.ensembles = runs.check_ensembles(self.entries)
        self.of_matrix = runs.runs(self.entries, named)
        own = runs.trainings(named)
        self.left_out_corpora = left_out_corpora.corpora_left_out(
            settings["leave_one_out"], list(map(corpus_name, settings["corpus"]))
        )
        self.left_out = left_out_corpora.left_out(
            settings["leave_one_out"]["variants"],
            self.left_out_corpora,
            settings["variants"],
            self.of_matrix,
            own,
            self._learned_elsewhere,
        )
        self.trained_without = left_out_corpora.trained_without(self.left_out, own)
        self.adapters = own | {name: own[of] for name, (of, _) in self.trained_without.items()}

    def experiment(self, adapter_settings: Sequence[str]) -> Experiment:
        """Return the records."""
        settings = self.settings
        check_entries(settings["prompts"])
        of_run = self._runs()
        search_records, notes = self._searches(of_run)
        trainings = {name: self._training(name) for name in self.adapters}
        classes = {name: (one.detector, one.settings) for name, one in trainings.items()}
        clips = settings["trials"]["train_clips"]
        return Experiment(
            settings=settings,
            grid=Grid(**settings["grid"]),
            variants={name: self._variant(name, of_run) for name in self.entries},
            runs=of_run,
            trainings=trainings,
            searches=search_records,
            notes=(*notes, *version_pairs(settings["comparisons"], self.entries)[1]),
            checks=hygiene_checks.read_checks(
                settings["hygiene"], settings["models"], settings["prompts"], self.nano
            ),
            adapted=runs.adapted(self.of_matrix, classes, clips, adapter_settings),
            left_out=tuple(self.left_out),
            left_out_corpora=tuple(self.left_out_corpora),
            marks=tuple(hygiene_checks.check_marks(settings["exclude"])),
        )

    def _learned_elsewhere(self, entry: Mapping[str, Any]) -> str:
        """Say what a variant has learned on all corpora, beside its adapter."""
        model = variants.chosen_model(entry, entry["backend"], self.settings["models"], self.nano)
        if variants.is_nano(model, self.nano):
            return "its nano model"
        return "its prompt, which was searched for" if variants.searched(entry) else ""

    def _names(self) -> dict[str, Any]:
        """Return what names in a variant or search are looked up in."""
        return {
            "models": self.settings["models"],
            "prompts": self.settings["prompts"],
            "nano_folder": self.nano,
            "adapters": self.adapters,
            "adapters_folder": self.adapters_folder,
        }

    def _runs(self) -> dict[str, Run]:
        entries = {
            name: (variant, entry)
            for variant, of_variant in self.of_matrix.items()
            for name, entry in of_variant.items()
        }
        again = {run.name: (run.variant, run.entry) for run in self.left_out if run.entry}
        scored = entries | again
        detectors = variants.variant_detectors({name: entry for name, (_, entry) in scored.items()})
        search_names = [name for name, entry in self.settings["searches"].items() if entry]
        names = self._names() | {"searches": search_names}
        options = {
            name: variants.check_variant(name, entry, detectors[name], **names)
            for name, (_, entry) in scored.items()
        }
        left_out = {run.name: run for run in self.left_out}
        hears = {
            name: self._presentations(name, entry, detectors[name], options[name])
            for name, (_, entry) in scored.items()
        }
        return {
            name: self._run(
                name,
                scored[left.in_domain if left and not left.entry else name],
                detectors,
                options,
                hears,
                left,
            )
            for name, left in {**dict.fromkeys(entries), **left_out}.items()
        }

    def _run(
        self,
        name: str,
        of: tuple[str, Mapping[str, Any]],
        detectors: Mapping[str, type[Detector]],
        options: Mapping[str, Mapping[str, Any]],
        hears: Mapping[str, presentations.Presentations],
        left: LeftOut | None,
    ) -> Run:
        variant, entry = of
        scores = left.in_domain if left and not left.entry else name
        cls, chosen, adapter = detectors[scores], options[scores], entry.get("adapter")
        return Run(
            name=name,
            variant=variant,
            backend=entry["backend"],
            detector=cls,
            options=chosen,
            gpus=self._gpus(entry, cls, chosen),
            label=variants.model_label(chosen, self.nano),
            made=self._made(chosen),
            search=variants.searched(chosen),
            adapter=adapter if adapter in self.adapters else None,
            both_orders=_in_both_orders(cls, chosen),
            dev=without("dev", left.corpus) if left else "dev",
            scores=scores,
            left_out=left.corpus if left else None,
            in_domain=left.in_domain if left else name,
            presentation=hears[scores].presentation,
            alternatives=hears[scores].alternatives,
        )

    @property
    def _longest_ms(self) -> int:
        grid = self.settings["grid"]
        return int(max([*grid["duration_ms"], grid["clean_ms"]]))

    def _presentations(
        self,
        name: str,
        entry: Mapping[str, Any],
        cls: type[Detector],
        options: Mapping[str, Any],
    ) -> presentations.Presentations:
        adapter = self.adapters.get(entry.get("adapter", ""))
        trained_in = adapter.get("container", ALONE) if adapter else None
        ladder = self.settings["presentation"]["ladder"]
        try:
            ways = presentations.of_variant(
                entry, cls, options, ladder, self._longest_ms, trained_in
            )
            presentations.check_length(ways, cls, options, self.settings["grid"])
            return ways
        except ValueError as error:
            raise variants.ConfigError(f"variants.{name}: {error}") from error

    def _gpus(
        self, entry: Mapping[str, Any], cls: type[Detector], options: Mapping[str, Any]
    ) -> int:
        """Return the GPUs that a job with a detector claims; a nano model needs none of its own."""
        return int(entry.get("gpus", 0 if variants.is_nano(options, self.nano) else cls.gpus))

    def _made(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the models and adapters of a detector that the workflow makes itself."""
        named = (options.get(kind) for kind in ("model", "adapter"))
        folders = (f"{self.nano}/", f"{self.adapters_folder}/")
        return tuple(str(path) for path in named if str(path or "").startswith(folders))

    def _variant(self, name: str, of_run: Mapping[str, Run]) -> Variant:
        entry = self.entries[name]
        if name not in self.ensembles:
            own = tuple(self.of_matrix[name])
            label = variants.joint_label(of_run[run].label for run in own)
            return Variant(name, entry["backend"], label, own)
        members = self.ensembles[name]
        of_members = [list(self.of_matrix[member]) for member in members]
        member_runs = tuple(run for of in of_members for run in of)
        return Variant(
            name,
            "ensemble",
            variants.joint_label(of_run[run].label for run in member_runs),
            (name,),
            tuple(members),
            member_runs,
            tuple(runs.ensemble_weights(of_members)),
            entry.get("how", "mean"),
        )

    def _training(self, name: str) -> Training:
        entry = self.adapters[name]
        cls, settings = variants.check_adapter(
            name,
            entry,
            models=self.settings["models"],
            prompts=self.settings["prompts"],
            nano_folder=self.nano,
            seed=self.settings["seed"],
        )
        _, corpus = self.trained_without.get(name, (name, None))
        train, dev = (without(split, corpus) if corpus else split for split in ("train", "dev"))
        base = (settings["model"],) if variants.is_nano(settings, self.nano) else ()
        gpus = self._gpus(entry, cls, settings)
        container = presentations.check_trained(name, entry, self._longest_ms)
        presentation = Presentation.of(container=container).to_dict()
        return Training(name, entry["backend"], cls, settings, gpus, base, train, dev, presentation)

    def _searches(self, of_run: Mapping[str, Run]) -> tuple[dict[str, Search], tuple[str, ...]]:
        # A search is on the first run of a variant, and its winner serves all runs.
        on = {variant: next(iter(of.values())) for variant, of in self.of_matrix.items()}
        named = _present(self.settings["searches"])
        used = {name: entry for name, entry in named.items() if searches.is_used(name, entry, on)}
        rest = {name: entry for name, entry in named.items() if name not in used}
        checked = {
            name: searches.check_search(name, entry, on, **self._names())
            for name, entry in used.items()
        }
        # Of these no table tells; each runs if one asks for its file.
        unused, note = searches.check_unused(rest, on, **self._names())
        records = {
            name: self._search(name, one, name in used, of_run)
            for name, one in (checked | unused).items()
        }
        return records, (note,) if note else ()

    def _search(
        self, name: str, checked: searches.Checked, used: bool, of_run: Mapping[str, Run]
    ) -> Search:
        on, chooser = self.settings["searches"][name]["on"], None
        if isinstance(on, Mapping):
            try:
                presentation = presentations.of_search(on, checked.cls, self._longest_ms)
            except ValueError as error:
                raise variants.ConfigError(f"searches.{name}: {error}") from error
        else:  # hears as the first run of the variant that it is on
            run = of_run[next(iter(self.of_matrix[on]))]
            presentation, chooser = dict(run.presentation), run.name if run.alternatives else None
        return Search(
            name=name,
            backend=checked.entry["backend"],
            detector=checked.cls,
            options=checked.options,
            baseline=checked.entry["prompt"],
            settings=checked.settings,
            gpus=self._gpus(checked.entry, checked.cls, checked.options),
            label=variants.model_label(checked.options, self.nano),
            made=self._made(checked.options),
            used=used,
            presentation=presentation,
            chooser=chooser,
        )


def _present(entries: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries that are not set to null, by name: D2 before D10."""

    def in_turn(name: str) -> list[str]:
        return [part.zfill(9) if part.isdigit() else part for part in NUMBERS.split(name)]

    return {name: dict(entries[name]) for name in sorted(entries, key=in_turn) if entries[name]}


def _in_both_orders(cls: type[Detector], options: Mapping[str, Any]) -> bool:
    """Say whether a run can be asked with its options exchanged; winners of searches always can."""
    prompt = options.get("prompt")
    return hasattr(cls, "log_odds") and (not isinstance(prompt, str) or has_options(prompt))
