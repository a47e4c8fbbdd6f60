"""Discovery of detectors in a folder's files and in packages with a ``speechdt`` entry point."""

import importlib
import inspect
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from speechdt.code_hash import imported_files, module_files
from speechdt.detectors import contract
from speechdt.detectors.contract import PluginError

BACKENDS = Path(__file__).resolve().parents[2] / "backends"
_NAMESPACE = "speechdt_backends"
_OFFERED_BY: dict[type, set[str]] = {}
"""Names of the plugins that offer each class, which may be defined elsewhere."""
_BROKEN: dict[str, str] = {}
"""Why plugins failed to import, by plugin."""


def find_detectors(folder: Path | str | None = BACKENDS) -> dict[str, type[contract.Detector]]:
    """Map the name of every detector at hand to its class.

    Parameters
    ----------
    folder : path or None
        Folder whose ``*.py`` files and packages are plugins (names that begin with ``_`` are not);
        the checkout's ``backends/`` by default. They are imported as ``speechdt_backends.<stem>``,
        so that no installed package called ``backends`` can win; ``from ._shared import …`` in a
        plugin imports ``_shared.py`` of the folder.

    Returns
    -------
    dict of str to type
        Detector classes by name, in alphabetical order.

    Raises
    ------
    PluginError
        If a plugin marks an unknown hook, offers nothing or offers a name twice. One that fails to
        import is passed over: :func:`broken` says why.
    """
    _BROKEN.clear()
    classes: dict[str, type[contract.Detector]] = {}
    owner: dict[str, str] = {}
    for origin, module in {**_folder_plugins(folder), **_installed_plugins()}.items():
        for name, cls in _offered(origin, module).items():
            if name in classes:
                raise PluginError(f"detector '{name}' is offered by {owner[name]} and by {origin}")
            classes[name], owner[name] = cls, origin
            _OFFERED_BY.setdefault(cls, set()).add(module.__name__)
    return dict(sorted(classes.items()))


def broken() -> list[str]:
    """Return why plugins failed to import when detectors were last looked for, a line each."""
    return list(_BROKEN.values())


def source_files(cls: type, *, training: bool = False) -> list[Path]:
    """Return the files that a detector runs: what an edit of makes its scores others.

    Parameters
    ----------
    cls : type
        Detector class. It may name files of its package that do not count, as patterns below its
        folder: ``incidental_files`` never, ``training_files`` not for scores, ``scoring_files`` not
        for training.
    training : bool
        Whether files are asked for whose edit makes another of what is trained.

    Returns
    -------
    list of Path
        Sorted: of the module that defines the class and of the plugins that offer it, all files if
        that is a package; and whatever these import from the plugins' folder or from their own
        package (`speechdt.code_hash.imported_files`).
    """
    offering = _OFFERED_BY.get(cls, set()) & set(sys.modules)
    roots: dict[str, Path] = {}
    followed: set[Path] = set()
    alone: set[Path] = set()
    for name in offering | {cls.__module__}:
        root, *below = name.split(".")
        path = Path(inspect.getsourcefile(sys.modules[name]) or "")
        in_package = (path.parent / "__init__.py").exists()
        own = module_files(path.parent) if in_package else [path]
        if root == _NAMESPACE:
            folder = Path(next(iter(sys.modules[root].__path__)))
            # As a plugin may call the folder too: the checkout is on the path of every job.
            roots |= {root: folder, folder.name: folder}
            followed |= {path, *module_files(folder / below[0])}
        elif name in offering and in_package:
            roots[root] = path.parents[len(below) - (path.name != "__init__.py")]
            followed |= set(own)
        else:  # a class of some library, whose imports are its own business
            alone |= set(own)
    apart = ("incidental_files", "scoring_files" if training else "training_files")
    patterns = [pattern for name in apart for pattern in getattr(cls, name, ())]
    return sorted({*imported_files(followed, roots), *alone} - _matching(cls, patterns))


def _matching(cls: type, patterns: Iterable[str]) -> set[Path]:
    """Return the files below the folder of a class's module that have one of the patterns."""
    folder = Path(inspect.getsourcefile(cls) or "").resolve().parent
    return {file for pattern in patterns for file in folder.glob(pattern)}


def folder_of(cls: type) -> Path | None:
    """Return the folder whose plugin offers a detector; None of an installed package's."""
    if cls.__module__.split(".")[0] != _NAMESPACE:
        return None
    return Path(next(iter(sys.modules[_NAMESPACE].__path__)))


def _folder_plugins(folder: Path | str | None) -> dict[str, ModuleType]:
    if folder is None:
        return {}
    folder = Path(folder).resolve()
    namespace = sys.modules.get(_NAMESPACE)
    if namespace is None or list(namespace.__path__) != [str(folder)]:
        for name in [n for n in sys.modules if n.split(".")[0] == _NAMESPACE]:
            del sys.modules[name]
        namespace = ModuleType(_NAMESPACE)
        namespace.__path__ = [str(folder)]
        sys.modules[_NAMESPACE] = namespace
        importlib.invalidate_caches()
    plugins: dict[str, ModuleType] = {}
    for path in sorted(folder.glob("[!_.]*")):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            origin = f"{folder.name}/{path.name}"
            _import(plugins, origin, f"{_NAMESPACE}.{path.stem}")
    return plugins


def _installed_plugins() -> dict[str, ModuleType]:
    plugins: dict[str, ModuleType] = {}
    for entry in _entry_points(tuple(sys.path)):
        origin = f"entry point '{entry.name}' ({entry.value})"
        _import(plugins, origin, entry.value)
    return plugins


@lru_cache(1)
def _entry_points(_path: tuple[str, ...]) -> EntryPoints:
    """Return what packages on the path offer, read once: each has a file to open."""
    return entry_points(group="speechdt")


def _import(plugins: dict[str, ModuleType], origin: str, name: str) -> None:
    """Put a plugin among those that import, or why it does not among the broken ones."""
    try:
        plugins[origin] = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        _BROKEN[origin] = f"plugin {origin} fails to import: {type(error).__name__}: {reason}"


@cache
def _offered(origin: str, module: ModuleType) -> dict[str, type[contract.Detector]]:
    """Return the detectors of a plugin, asked once: every name in it may be a hook."""
    manager = pluggy.PluginManager("speechdt")
    manager.add_hookspecs(contract)
    try:
        manager.register(module)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = [n for n in vars(module) if manager.parse_hookimpl_opts(module, n)]
        marked = ", ".join(n for n in unknown if n != "detectors") or str(error).splitlines()[0]
        raise PluginError(
            f"plugin {origin} marks an unknown hook: {marked}; the hook is 'detectors'"
        ) from error
    try:
        answers = manager.hook.detectors()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"plugin {origin} fails in detectors(): {type(error).__name__}: {error}"
        ) from error
    if not answers:
        raise PluginError(
            f"plugin {origin} offers no detector: mark a function detectors() with @hookimpl"
        )
    offered = answers[0]
    if not isinstance(offered, dict):
        raise PluginError(f"plugin {origin}: detectors() must return a dict of name to class")
    for name, cls in offered.items():
        if not (isinstance(cls, type) and callable(getattr(cls, "score", None))):
            raise PluginError(f"plugin {origin}: detector '{name}' is no class with a score()")
        if not isinstance(getattr(cls, "gpus", None), int):
            raise PluginError(f"plugin {origin}: detector '{name}' does not say its `gpus`")
    return offered
