"""The paper's run on a smaller card is the paper's run, but for what the card cannot hold."""

import yaml


def read(root, name):
    return yaml.safe_load((root / "configs" / f"{name}.yaml").read_text())


def test_on_a_card_of_24_gb_the_steps_are_the_same(root):
    paper, card = read(root, "paper")["adapters"]["large"], read(root, "paper_24gb")
    large = card.pop("adapters").pop("large")
    merged = paper | large
    assert set(large) == {"batch_size", "gradient_accumulation"}
    clips = merged["batch_size"] * merged["gradient_accumulation"]
    assert clips == paper["batch_size"] * paper["gradient_accumulation"]
    assert merged["batch_size"] <= 8
    assert card == {"variants": {"C1": None}, "searches": {"omni": None}}
