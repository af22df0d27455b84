"""How the tests of messages read one: the class and the whole text of what an act raises."""

import re

LINE = re.compile(r"\w+\.py:\d+")


def raised(act):
    """The exception that `act` raises, with its text; line numbers are shown as `file.py:N`."""
    try:
        act()
    except Exception as error:
        return type(error), LINE.sub("file.py:N", str(error))
    raise AssertionError("nothing was raised")
