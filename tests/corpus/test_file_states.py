"""A replaced file is noticed, whatever its name, size and time; a copied folder is not."""

import os
import shutil

import pytest
import soundfile

from speechdt.corpus import file_states, index

RATE = 16_000


@pytest.fixture
def folder(tmp_path, rng):
    for name, path in {"a": "speech/a.wav", "b": "nonspeech/noise/b.wav"}.items():
        file = tmp_path / "own" / path
        file.parent.mkdir(parents=True)
        soundfile.write(file, rng.uniform(-0.5, 0.5, RATE), RATE)
        os.utime(file, ns=(10**18, 10**18 + ord(name)))
    return tmp_path / "own"


def listed(folder):
    return index.read_corpora([{"kind": "folder", "path": folder}])


def replace(file, samples):
    """Put another recording in a file's place, of the same size and time."""
    times = os.stat(file)
    other = file.with_suffix(".new")
    soundfile.write(other, samples, RATE, format="WAV")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.replace(other, file)
    assert os.stat(file).st_size == times.st_size
    assert os.stat(file).st_mtime_ns == times.st_mtime_ns


def test_a_replaced_file_is_read_again(folder, tmp_path, rng):
    kept = tmp_path / "cache" / "index.sqlite"
    before, _ = index.index(listed(folder), 200, kept=kept)
    state = file_states.folder_state(folder, kept)
    assert state == file_states.folder_state(folder, tmp_path / "nothing kept")
    replace(folder / "speech" / "a.wav", rng.uniform(-0.5, 0.5, RATE))
    replaced = file_states.folder_state(folder, kept)
    assert replaced != state
    after, _ = index.index(listed(folder), 200, kept=kept)
    changed = before["sha256"] != after["sha256"]
    assert before.loc[changed, "source_id"].tolist() == ["speech/a.wav"]
    assert file_states.folder_state(folder, kept) == replaced  # and stays so


def test_a_copy_of_the_folder_or_another_mode_is_no_change(folder, tmp_path):
    kept = tmp_path / "cache" / "index.sqlite"
    index.index(listed(folder), 200, kept=kept)
    state = file_states.folder_state(folder, kept)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy2)
    shutil.rmtree(folder)
    (tmp_path / "copy").rename(folder)
    os.chmod(folder / "speech" / "a.wav", 0o600)
    assert file_states.folder_state(folder, kept) == state


@pytest.mark.parametrize("is_indexed", [True, False])
def test_other_times_are_no_change_as_in_another_clone(folder, tmp_path, is_indexed):
    kept = tmp_path / "index.sqlite"
    if is_indexed:
        index.index(listed(folder), 200, kept=kept)
    state = file_states.folder_state(folder, kept)
    for file in folder.rglob("*.wav"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
    assert file_states.folder_state(folder, kept) == state


def test_an_edit_and_a_new_file_are_a_change(folder, tmp_path, rng):
    kept = tmp_path / "index.sqlite"
    index.index(listed(folder), 200, kept=kept)
    state = file_states.folder_state(folder, kept)
    soundfile.write(folder / "speech" / "a.wav", rng.uniform(-0.5, 0.5, RATE), RATE)
    edited = file_states.folder_state(folder, kept)
    shutil.copy(folder / "speech" / "a.wav", folder / "speech" / "c.wav")
    assert len({state, edited, file_states.folder_state(folder, kept)}) == 3


@pytest.fixture
def read(monkeypatch):
    """Names of the files that an index reads."""
    names = []
    load = index.audio_io.load

    def note(path):
        names.append(os.path.basename(path))
        return load(path)

    monkeypatch.setattr(index.audio_io, "load", note)
    return names


def test_only_what_a_decoder_reads_is_read_again_when_it_comes(folder, tmp_path, monkeypatch, read):
    """By its name, or by its beginning alone."""
    for name in ("phone.m4a", "misnamed.wav"):
        (folder / "speech" / name).write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    kept = tmp_path / "index.sqlite"

    def looked(version):
        monkeypatch.setattr(file_states.containers, "decoder", lambda: version)
        before = file_states.folder_state(folder, kept)
        read.clear()
        _, rejected = index.index(listed(folder), 200, kept=kept)
        assert len(rejected) == 2
        assert file_states.folder_state(folder, kept) == before  # no second run follows
        return before, sorted(read)

    without, all_read = looked("")
    assert len(all_read) == 4
    assert looked("") == (without, [])
    installed, read_again = looked("16.0")
    assert read_again == ["misnamed.wav", "phone.m4a"]
    assert installed != without
    assert looked("16.0") == (installed, [])
    assert looked("16.1")[1] == ["misnamed.wav", "phone.m4a"]
    assert looked("") == (without, [])


def test_a_decoder_says_nothing_of_a_corpus_without_containers(folder, tmp_path, monkeypatch, read):
    kept = tmp_path / "index.sqlite"
    monkeypatch.setattr(file_states.containers, "decoder", lambda: "")
    index.index(listed(folder), 200, kept=kept)
    state = file_states.folder_state(folder, kept)
    monkeypatch.setattr(file_states.containers, "decoder", lambda: "16.0")
    assert file_states.folder_state(folder, kept) == state
    read.clear()
    index.index(listed(folder), 200, kept=kept)
    assert not read


def test_all_is_read_anew_if_asked(folder, tmp_path, read):
    kept = tmp_path / "index.sqlite"
    index.index(listed(folder), 200, kept=kept)
    read.clear()
    index.index(listed(folder), 200, kept=kept)
    assert not read
    index.index(listed(folder), 200, kept=kept, anew=True)
    assert len(read) == 2
