"""Compiled objects on disk, so that the next process need not compile them again.

A file is named by its key and holds

    MAGIC | SHA-256 of (key, object) | object

so that a torn, damaged or renamed file is told from a good one, and removed.  Files appear whole or
not at all (`os.replace`), so any number of processes may share a folder.  Objects are machine code:
what another user could have written is never read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

MAGIC = b"qiudao1\n"
SUFFIX = ".object"
DIGEST = hashlib.sha256().digest_size
ADDED = "added"  # a file with a byte for each kilobyte put since the folder was gone through
LIMIT = 512 * 2**20
SHARE = 16  # the folder is gone through when this part of the limit has been added
STALE = 3600.0  # seconds after which another process has given up on its temporary file


def default_folder() -> Path:
    """`QIUDAO_CACHE_DIR`, or the folder that the platform keeps for caches of this user."""
    chosen = os.environ.get("QIUDAO_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    home = Path("~").expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = named if named.is_absolute() else home / ".cache"  # as the XDG standard has it
    return base / "qiudao"


def is_private(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and no other may write it."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps the user's folders by access lists instead
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


class ObjectCache:
    """A folder of compiled objects, bounded in size: the least recently used go first.

    It may grow past its limit by a sixteenth, since to go through all files takes long.

    `folder` None means the default one, which the environment may name; `QIUDAO_CACHE=0` there
    turns the cache off.  Where the folder cannot be used there is no cache, and no error.
    """

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        self.chosen = folder
        self.limit = limit  # bytes

    @property
    def folder(self) -> Path:
        """Where the objects lie."""
        return default_folder() if self.chosen is None else self.chosen

    @property
    def enabled(self) -> bool:
        """Whether objects are kept: not turned off, and the folder is there or can be made."""
        if os.environ.get("QIUDAO_CACHE", "1") == "0":
            return False
        folder = self.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.stat()
        except OSError:
            return False
        if not is_private(status):
            warnings.warn(
                f"jit_cache: other users may write to {folder}, so no machine code is kept there; "
                "name a folder of your own in QIUDAO_CACHE_DIR",
                RuntimeWarning,
                stacklevel=2,
            )
            return False
        return os.access(folder, os.W_OK | os.X_OK)

    def get(self, key: str) -> bytes | None:
        """The object of a key, or None; what is damaged is removed."""
        if not self.enabled:
            return None
        path = self.path(key)
        try:
            with path.open("rb") as file:
                data = file.read() if is_private(os.fstat(file.fileno())) else b""
        except OSError:
            return None
        head, kept = data[: len(MAGIC) + DIGEST], data[len(MAGIC) + DIGEST :]
        with contextlib.suppress(OSError):
            if head != MAGIC + digest(key, kept):
                path.unlink()
                return None
            os.utime(path)  # this is what makes it recently used
        return kept

    def put(self, key: str, data: bytes) -> None:
        """Keep an object; a failure to write is no error."""
        if not self.enabled:
            return
        with contextlib.suppress(OSError):
            handle, name = tempfile.mkstemp(suffix=".tmp", dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(MAGIC + digest(key, data) + data)
                os.replace(name, self.path(key))
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            if self.is_full(len(data)):
                self.evict()

    def is_full(self, size: int) -> bool:
        """Whether enough has been added, by this process or others, to go through the folder."""
        with (self.folder / ADDED).open("ab") as file:
            file.write(bytes(1 + size // 1024))
            return file.tell() * 1024 > self.limit // SHARE

    def path(self, key: str) -> Path:
        """The file of a key, which is a string of hexadecimal digits."""
        return self.folder / f"{key}{SUFFIX}"

    def entries(self, suffix: str = SUFFIX) -> Iterator[tuple[Path, os.stat_result]]:
        """The files in the folder; another process may remove one meanwhile."""
        with contextlib.suppress(OSError), os.scandir(self.folder) as found:
            for entry in found:
                if entry.name.endswith(suffix):
                    with contextlib.suppress(OSError):
                        yield Path(entry.path), entry.stat()

    def evict(self) -> None:
        """Remove the least recently used objects until the others fit the limit."""
        (self.folder / ADDED).unlink(missing_ok=True)
        entries = sorted(self.entries(), key=lambda entry: entry[1].st_mtime_ns)
        excess = sum(status.st_size for _, status in entries) - self.limit
        for path, status in entries:
            if excess <= 0:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            excess -= status.st_size
        for path, status in self.entries(".tmp"):
            if time.time() - status.st_mtime > STALE:
                with contextlib.suppress(OSError):
                    path.unlink()

    def size(self) -> int:
        """How many bytes the objects take."""
        return sum(status.st_size for _, status in self.entries())

    def clear(self) -> None:
        """Remove all objects."""
        for path in (*(path for path, _ in self.entries()), self.folder / ADDED):
            with contextlib.suppress(OSError):
                path.unlink()

    def __repr__(self) -> str:
        return f"jit_cache({str(self.folder)!r}, {self.size()} of {self.limit} bytes)"


def digest(key: str, data: bytes) -> bytes:
    """The checksum of an object under its key."""
    return hashlib.sha256(key.encode() + data).digest()


jit_cache = ObjectCache()
