"""LoRA fine-tuning: trials in, an adapter out.

``settings`` are what the configuration may name; ``trials`` and ``examples`` make training
examples, ``collate`` batches of them, ``spec_augment`` masks them; ``adaptation`` adds LoRA and
``answer_model`` the loss; ``trainer`` and ``processes`` run the steps, ``finetune`` the whole, and
``checkpoints`` says which can be gone on from, ``memory`` makes smaller batches where it runs out,
and ``card`` writes the model card. Nothing of this is imported before something is trained.
"""
