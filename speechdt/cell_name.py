"""Name of a cell, which its files and the rows of tables carry."""


def cell_name(snr_db: float, duration_ms: float) -> str:
    """Return the name of a noisy cell, such as ``snr-5_dur200``."""
    return f"snr{snr_db:g}_dur{duration_ms:g}"
