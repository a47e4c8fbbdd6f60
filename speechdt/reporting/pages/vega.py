"""Vega-Lite with Vega and its embedding, as one script that a page holds and that loads nothing.

The bytes come out of the package vl-convert-python, which carries them: no network is asked.
"""

from functools import cache


@cache
def bundle() -> str:
    """Return the script, which defines ``vegaEmbed``; '' where the package is not installed.

    A page without it has its figures as images.
    """
    try:
        import vl_convert
    except ImportError:
        return ""
    # What would end a script element of HTML early; in strings alone, where \\/ is a slash.
    return str(vl_convert.javascript_bundle(None)).replace("</script", "<\\/script")
