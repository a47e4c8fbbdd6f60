"""Readers of corpora, by the ``kind`` that the configuration gives them.

A reader is a function of the corpus folder and of options; it yields a `sources.Source` for each
recording, without opening it. Its module's ``check`` looks whether the folder is what the publisher
lays out, in no time, so that a wrong one is refused before any job.
"""

import difflib
import inspect
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from speechdt.audio.region import file_and_times
from speechdt.corpus.readers import (
    esc50,
    fma,
    folder,
    gtzan,
    musan,
    musiccaps,
    remainder,
    synthetic,
    voxconverse,
)
from speechdt.corpus import foils
from speechdt.corpus.sources import VOCALS, CorpusError, Source

READERS: dict[str, ModuleType] = {
    "folder": folder,
    "voxconverse": voxconverse,
    "esc50": esc50,
    "gtzan": gtzan,
    "fma": fma,
    "musiccaps": musiccaps,
    "musan": musan,
    "synthetic": synthetic,
}
"""Modules with ``check`` and ``read``, by ``kind``."""

NOT_OPTIONS = ("kind", "vocals", "name")
"""Keys of an entry that are no options of its reader."""
KEPT = "keep"
"""Value of the option ``vocals``, which every kind takes, that keeps recordings with singing."""


def check(corpora: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the entries of the configuration, a line each.

    Parameters
    ----------
    corpora : sequence of mappings
        ``kind`` (a key of `READERS`), options of that kind, ``vocals`` and ``name``.
    """
    problems = []
    for place, corpus in enumerate(corpora):
        try:
            _checked(corpus)
        except CorpusError as error:
            problems.append(f"corpus.{place} ({corpus['kind']}): {error}")
    return problems


def name(corpus: Mapping[str, Any]) -> str:
    """Return what a corpus is called: its ``name``, else that of its folder, else its kind."""
    own = Path(corpus["path"]).name if corpus["kind"] == "folder" else corpus["kind"]
    return str(corpus.get("name", own))


def read(corpus: Mapping[str, Any]) -> Iterator[Source]:
    """List the recordings of one corpus.

    The extra column ``corpus`` is its :func:`name`, and so is ``origin`` where the reader gives
    none.
    Recordings of NONSPEECH that hold singing, or may hold it, carry that as their reason to be left
    out, unless the corpus is configured with ``vocals: keep``.

    Raises
    ------
    CorpusError
        If it cannot be read.
    """
    options = _checked(corpus)
    listed: list[Source] = []
    for source in READERS[corpus["kind"]].read(**options):
        listed.append(source)
        own = {"corpus": name(corpus), "origin": source.extra.get("origin") or name(corpus)}
        source = source._replace(extra=source.extra | own)
        source = source if corpus.get("vocals") == KEPT else _without_vocals(source)
        yield foils.left_out(source)
    if "path" in options:
        used = cache(lambda: set(map(_file, listed)))
        follow = options.get("outside") == folder.ALLOWED
        for source in remainder.odd(options["path"], used, follow=follow):
            yield source._replace(extra={"corpus": name(corpus)})


def notes(corpus: Mapping[str, Any], sources: Iterable[Source]) -> list[str]:
    """Return lines on what of a corpus is not used, and in no table: files, columns of a manifest.

    Parameters
    ----------
    corpus : mapping
    sources : iterable of Source
        From :func:`read`; those of other corpora do no harm.
    """
    if "path" not in corpus:
        return []
    folder_ = Path(corpus["path"])
    own = folder.notes(folder_) if corpus["kind"] == "folder" else []
    return own + remainder.notes(name(corpus), folder_, {_file(source) for source in sources})


def _file(source: Source) -> str:
    return os.path.normpath(file_and_times(source.path)[0])


def _checked(corpus: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an entry's reader, which accepts them."""
    module = READERS[corpus["kind"]]
    options = {key: value for key, value in corpus.items() if key not in NOT_OPTIONS}
    accepted = inspect.signature(module.read).parameters
    for key in options:
        if key not in accepted:
            close = difflib.get_close_matches(key, accepted, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            listed = ", ".join([*accepted, *NOT_OPTIONS[1:]])
            raise CorpusError(f"no option '{key}'{hint}; options: {listed}")
    if "path" in accepted:
        if "path" not in options:
            raise CorpusError("path is missing")
        options["path"] = Path(options["path"])
        if not options["path"].is_dir():
            raise CorpusError(
                f"corpus folder {options['path']} does not exist; expected {module.EXPECTED}"
            )
    module.check(**options)
    return options


def _without_vocals(source: Source) -> Source:
    vocals = source.extra.get("vocals", "") or VOCALS[0]
    if source.reason or source.label != "NONSPEECH" or vocals == VOCALS[0]:
        return source
    holds = "holds" if vocals == "yes" else "may hold"
    return source._replace(reason=f"{holds} singing (the corpus option 'vocals: keep' takes it)")
