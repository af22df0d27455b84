"""The one exception of the command line: what the person asked for cannot be done."""

__all__ = ["CommandError"]


class CommandError(Exception):
    """A mistake in what was asked. Its text is printed as one line, and the exit code is 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # a line, whatever a library's text looked like
