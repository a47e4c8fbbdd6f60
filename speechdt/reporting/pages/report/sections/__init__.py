"""Sections of the report, one module each, in the order of `speechdt.reporting.pages.report.page`.

The section ``some-name`` is the function ``section`` of ``some_name.py``; its text is the template
``report/some-name.html.j2``.
"""
