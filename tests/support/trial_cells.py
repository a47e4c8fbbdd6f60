"""Cell files of made trials."""

from pathlib import Path

from speechdt.audio.io import flac_bytes
from speechdt.trials.cells import write_cell
from support import qwen_models as small


def row(item, label, ms, clip):
    names = ("category", "source_id", "group_id", "origin", "background", "background_id")
    names += ("background_group", "background_origin")
    return {
        "trial_id": f"{item}-{ms}",
        "item_id": item,
        "label": label,
        **dict.fromkeys(("snr_db", "snr_speech_db", "snr_active_db"), 0.0),
        "duration_ms": ms,
        **dict.fromkeys(names, "x"),
        "audio": {"bytes": flac_bytes(clip), "path": None},
    }


def write_cells(folder: Path, clips: int, catch: bool = False, labels=("SPEECH", "NONSPEECH")):
    """Write tones for one class and noise for the other, in two durations."""
    folder.mkdir(parents=True)
    rows = {200: [], 500: []}
    for number in range(clips):
        label, ms = labels[number % len(labels)], (200, 500)[number // 2 % 2]
        clip = small.clip(ms, number) * (1.0 if label == "SPEECH" else 0.01)
        rows[ms].append(row(f"x-{label.lower()}-{number:06d}", label, ms, clip))
    if catch:
        rows[200].append(row("x-white-000099", "CATCH", 200, small.clip(200)))
    for ms, trials in rows.items():
        write_cell(folder / f"snr0_dur{ms}.parquet", trials)
    return sorted(folder.glob("*.parquet"))
