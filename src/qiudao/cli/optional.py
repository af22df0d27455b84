"""Loads those files of ours that need a library which qiudao itself does without."""

from importlib import import_module
from types import ModuleType

from qiudao.cli.errors import CommandError

__all__ = ["load"]

LIBRARIES = ("matplotlib", "rich")


def load(name: str) -> ModuleType:
    """Import a module of ours, or say how to get the library that it lacks."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in LIBRARIES:
            raise
        raise CommandError(
            f"{library} is not installed; `pip install qiudao[cli]` brings it"
        ) from error
