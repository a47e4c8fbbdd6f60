# results that are not what the configuration asks for, where Snakemake's own records are lost; and
# jobs that ended without a word

import time

from snakemake.iocontainers import InputFiles, OutputFiles, Wildcards
from speechdt.workflow.manifest import stale, without_a_word
from speechdt.workflow.own_folder import has_record, mark_incomplete


def params_now(rule, wildcards):
    """Return the parameters that a job would have now; None if there is no such job."""
    try:
        given = Wildcards(fromdict=wildcards)
        params, _ = workflow.get_rule(rule).expand_params(
            given, InputFiles(), OutputFiles(), None
        )
    except Exception:  # whatever its functions raise for what is not there any more
        return None
    return dict(params.items())


if workflow.is_main_process:
    lost = {
        file: why
        for file, why in stale(MANIFEST, params_now).items()
        if not has_record(file)
    }
    for file, why in list(lost.items())[:1]:
        print(
            f"Snakemake's records are lost; made anew: {file} ({why})"
            + (f" and {len(lost) - 1} more files" if len(lost) > 1 else ""),
            file=sys.stderr,
        )
    mark_incomplete(lost)


BEGAN = time.time()


onerror:
    for line in without_a_word(MANIFEST, BEGAN):
        print(f"error: {line}", file=sys.stderr)
