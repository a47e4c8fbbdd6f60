"""Nano models: toys of the real architectures that the workflow trains itself.

``provide`` trains one or takes a kept one, ``models`` builds it, ``tokenizer`` and ``questions``
make its text and ``sounds`` its clips, ``training`` runs the steps.
"""
