"""Where ADBench's own data files are: a folder named by the environment variable QIUDAO_ADBENCH.

They are MIT-licensed and not part of this project: hand_small/, hand_big/ (bones.txt,
vertices.txt or .gz, triangles.txt), hand_VARIANT_MODEL_COUNT.txt, ba1.txt, lstm_l2_c1024.txt.
"""

import gzip
import os
from pathlib import Path

VARIABLE = "QIUDAO_ADBENCH"


class MissingDataError(FileNotFoundError):
    """A published data file that is not there."""


def folder() -> Path | None:
    """The folder of the data files, where one is named."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def text(name: str) -> str:
    """The content of a data file, unpacked."""
    where = folder()
    if where is None:
        raise MissingDataError(f"{name}: no data; set {VARIABLE} to the folder of ADBench's files")
    path = where / name
    if path.exists():
        return path.read_text()
    packed = path.with_name(path.name + ".gz")
    if not packed.exists():
        raise MissingDataError(f"{name}: not in the folder that {VARIABLE} names")
    return gzip.decompress(packed.read_bytes()).decode()
