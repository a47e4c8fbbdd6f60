"""Ways in which a kept file is damaged, by name; each takes the file."""

import os


def _bytes(change):
    def damage(file):
        data = bytearray(file.read_bytes())
        file.write_bytes(change(data))

    return damage


def _flip(data, place):
    data[place] ^= 0x5A
    return data


def _zeros(data):
    start, length = len(data) // 3, max(len(data) // 3, 1)
    # A block of zeros is no damage where it stood already.
    data[start : start + length] = bytes(length) if any(data[start : start + length]) else b"\x7f"
    return data


def _replaced(make):
    def damage(file):
        file.unlink()
        make(file)

    return damage


DAMAGES = {
    "emptied": _bytes(lambda data: b""),
    "cut in half": _bytes(lambda data: data[: len(data) // 2]),
    "without its tail": _bytes(lambda data: data[:-5]),
    "a byte of its header": _bytes(lambda data: _flip(data, 5)),
    "a byte of its body": _bytes(lambda data: _flip(data, len(data) // 2)),
    "a byte of its end": _bytes(lambda data: _flip(data, len(data) - 3)),
    "a block of zeros": _bytes(_zeros),
    "replaced by text": lambda file: file.write_text("nothing of the kind\n" * 9),
    "replaced by a folder": _replaced(lambda file: file.mkdir()),
    "a link to nowhere": _replaced(lambda file: file.symlink_to("nowhere")),
    "noise appended": _bytes(lambda data: data + os.urandom(999)),
    "unreadable": lambda file: file.chmod(0),
}
"""`unreadable` is none for root, who reads all the same."""


def damaged(file, name):
    """Damage a file; return whether anybody can tell."""
    DAMAGES[name](file)
    return name != "unreadable" or os.geteuid() != 0
