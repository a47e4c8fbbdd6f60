"""Packages that a detector needs and that may be missing or broken, said in one line.

`package_file` imports nothing, so that a detector can call it while the workflow is parsed, and so
can `imported` be where an import takes milliseconds; `loading` is for other imports and for the
model, where what is broken shows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from speechdt.errors import SpeechdtError

WITH_VADS = "pip install 'speechdt[vads]'"
"""Installs the detectors that are not among speechdt's own dependencies."""


def package_file(module: str, file: str, install: str) -> Path:
    """Return the path of a file of an installed package, which is not imported.

    Parameters
    ----------
    module : str
        Top-level name that one imports.
    file : str
        Path inside of its folder.
    install : str
        Command that installs the package.

    Raises
    ------
    SpeechdtError
        If the package is not there, or the file is not in it.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise SpeechdtError(f"the package {module} is not installed: {install}")
    path = Path(spec.submodule_search_locations[0]) / file
    if not path.is_file():
        raise SpeechdtError(f"the package {module} is installed without its {path}: {install}")
    return path


@contextmanager
def loading(module: str, install: str) -> Iterator[None]:
    """Turn whatever goes wrong while a package is imported and its model loaded into one line.

    Parameters as for :func:`package_file`.

    Raises
    ------
    SpeechdtError
        Naming the package, what it said, and the command.
    """
    try:
        yield
    except SpeechdtError:
        raise
    except ModuleNotFoundError as error:
        raise SpeechdtError(f"the package {error.name} is not installed: {install}") from error
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SpeechdtError(
            f"the package {module} does not load: {type(error).__name__}: {reason}; {install}"
        ) from error


def imported(module: str, install: str) -> ModuleType:
    """Return a package; whatever is wrong with its library is one line, as in :func:`loading`."""
    with loading(module, install):
        return import_module(module)
