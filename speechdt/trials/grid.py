"""Grid: the cells of the experiment, by SNR and duration, and their names."""

from collections.abc import Sequence
from typing import NamedTuple

from speechdt.cell_name import cell_name

CROSSED = ("dev", "test")
"""Splits in which every item stands in every cell."""
SPLITS = ("train", *CROSSED)


class Cell(NamedTuple):
    """One condition.

    Attributes
    ----------
    kind : {"snr", "clean", "catch"}
        Target in noise, target alone, or background alone.
    duration_ms : int
        Length of the clips in ms.
    snr_db : float or None
        Signal-to-noise ratio in dB, None but for kind ``snr``.
    """

    kind: str
    duration_ms: int
    snr_db: float | None = None

    @property
    def name(self) -> str:
        """Stem of the cell's files, such as ``snr-5_dur200`` or ``catch_dur200``."""
        if self.snr_db is not None:
            return cell_name(self.snr_db, self.duration_ms)
        return f"{self.kind}_dur{self.duration_ms}"


class Grid(NamedTuple):
    """The levels that are crossed.

    Attributes
    ----------
    snr_db : sequence of float
        SNRs of the plan, in dB: all that is learned or tabulated comes from these.
    duration_ms : sequence of int
        Durations in ms.
    clean_ms : int
        Duration of the clips without noise, in ms.
    curve_snr_db : sequence of float
        SNRs in addition, in dB, to which curves are fitted and nothing else; those of the plan
        may be among them.
    """

    snr_db: Sequence[float]
    duration_ms: Sequence[int]
    clean_ms: int
    curve_snr_db: Sequence[float] = ()

    @property
    def noisy(self) -> list[Cell]:
        """The plan's crossed cells, SNR first."""
        return self._crossed(self.snr_db)

    @property
    def curve(self) -> list[Cell]:
        """The crossed cells that curves are fitted to: the plan's, and those in addition."""
        return self.noisy + self._crossed(
            [snr for snr in self.curve_snr_db if snr not in self.snr_db]
        )

    @property
    def curve_levels(self) -> list[float]:
        """The SNRs of `curve`, ascending."""
        return sorted({*self.snr_db, *self.curve_snr_db})

    @property
    def cells(self) -> list[Cell]:
        """All cells of a crossed split: in noise, clean, catch."""
        catch = [Cell("catch", ms) for ms in self.duration_ms]
        return [*self.curve, Cell("clean", self.clean_ms), *catch]

    def names(self, *kinds: str) -> list[str]:
        """Return the names of the cells of some kinds (all if none is named), in order."""
        return [cell.name for cell in self.cells if not kinds or cell.kind in kinds]

    def _crossed(self, snrs_db: Sequence[float]) -> list[Cell]:
        return [Cell("snr", ms, snr) for snr in snrs_db for ms in self.duration_ms]

    @property
    def nested_ms(self) -> list[int]:
        """Every duration that an item must be able to fill, ascending, in ms."""
        return sorted({*self.duration_ms, self.clean_ms})
