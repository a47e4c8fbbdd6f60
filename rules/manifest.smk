# results that are not what the configuration asks for or the code makes; accepting them

from speechdt.workflow.accepted import accepted, note
from speechdt.workflow.manifest import few, made, reasons, stale
from speechdt.workflow.own_folder import has_record, mark_incomplete

if workflow.is_main_process:
    jobs = list(made(MANIFEST, params_now))
    lost = {file: why for file, why in stale(jobs).items() if not has_record(file)}
    for file, why in list(lost.items())[:1]:
        print(
            f"Snakemake's records are lost; made anew: {file} ({why})"
            + (f" and {len(lost) - 1} more files" if len(lost) > 1 else ""),
            file=sys.stderr,
        )
    mark_incomplete(lost)
    note(MANIFEST, accepted(MANIFEST))
    for line in few(reasons(MANIFEST, jobs)):
        print(line, file=sys.stderr)


localrules:
    accept,


rule accept:
    """Marks results as made by the present code, where code alone has changed."""
    input:
        accepting,
    message:
        "What was changed in code alone counts as made by the present code"
