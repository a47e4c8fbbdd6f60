"""Language models that hear, behind a server of OpenAI's chat protocol.

Any server that takes ``input_audio`` and returns ``logprobs`` with ``top_logprobs`` makes its model
a row of the matrix: no weights here, no GPU. A clip and a prompt are a request, for one token; the
score is the log-odds of the two answers among the likeliest tokens, as for the models that run
here. An answer that is not listed is less likely than the least that is, which bounds it: it is
taken for that, and counted.

``detector.py`` is what the workflow sees, ``protocol.py`` a request and its reply.
"""

from speechdt import hookimpl

from .detector import Served


@hookimpl
def detectors():
    """Offer the detector ``served``."""
    return {"served": Served}
