import os
import subprocess
import sys
import time
import warnings

import pytest

from qiudao.codegen.cache import LIMIT, SHARE, ObjectCache, default_folder, jit_cache

KEY, OTHER, THIRD = "0a" * 32, "0b" * 32, "0c" * 32


@pytest.fixture
def cache(tmp_path):
    return ObjectCache(tmp_path / "objects")


def test_what_is_put_is_got(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, b"code")
    assert cache.get(KEY) == b"code"
    assert cache.get(OTHER) is None


def test_another_process_gets_it(cache):
    cache.put(KEY, b"code")
    assert ObjectCache(cache.folder).get(KEY) == b"code"


@pytest.mark.parametrize("at", [0, 8, 20, -1])
def test_a_damaged_file_is_a_miss_and_goes(cache, at):
    cache.put(KEY, b"code")
    data = bytearray(cache.path(KEY).read_bytes())
    data[at] ^= 1
    cache.path(KEY).write_bytes(data)
    assert cache.get(KEY) is None
    assert not cache.path(KEY).exists()


@pytest.mark.parametrize("length", [0, 5, 30, 43])
def test_a_torn_file_is_a_miss_and_goes(cache, length):
    cache.put(KEY, b"code")
    cache.path(KEY).write_bytes(cache.path(KEY).read_bytes()[:length])
    assert cache.get(KEY) is None
    assert not cache.path(KEY).exists()


def test_a_file_under_another_key_is_a_miss(cache):
    cache.put(KEY, b"code")
    os.replace(cache.path(KEY), cache.path(OTHER))
    assert cache.get(OTHER) is None


def test_the_least_recently_used_go_first(tmp_path):
    cache = ObjectCache(tmp_path / "objects", limit=3000)
    for age, key in ((300, KEY), (200, OTHER)):
        cache.put(key, bytes(1200))
        old = time.time() - age
        os.utime(cache.path(key), (old, old))
    assert cache.get(KEY) is not None
    cache.put(THIRD, bytes(1200))
    assert [cache.get(key) is not None for key in (KEY, OTHER, THIRD)] == [True, False, True]
    assert cache.size() <= 3000


def test_what_another_process_left_half_written_goes_after_a_while(cache):
    cache.put(KEY, b"code")
    fresh, stale = cache.folder / "fresh.tmp", cache.folder / "stale.tmp"
    for path in (fresh, stale):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))
    cache.evict()
    assert fresh.exists()
    assert not stale.exists()


def test_the_folder_is_gone_through_once_a_sixteenth_of_the_limit_was_added(tmp_path):
    cache = ObjectCache(tmp_path / "objects", limit=SHARE * 10 * 1024)
    stale = cache.folder / "stale.tmp"

    def is_gone_through(process, size):
        stale.write_bytes(b"half")
        os.utime(stale, (0, 0))
        process.put(KEY, bytes(size))
        return not stale.exists()

    cache.put(KEY, bytes(4000))
    other = ObjectCache(cache.folder, limit=cache.limit)  # as in another process
    assert [is_gone_through(each, 4000) for each in (cache, other, cache)] == [False, True, False]


def test_clear_and_size(cache):
    assert cache.size() == 0
    cache.put(KEY, b"code")
    assert cache.size() > 4
    cache.clear()
    assert cache.size() == 0
    assert cache.get(KEY) is None


def test_clear_leaves_other_files_alone(cache):
    cache.put(KEY, b"code")
    (cache.folder / "notes.txt").write_text("mine")
    cache.clear()
    assert [path.name for path in cache.folder.iterdir()] == ["notes.txt"]


def test_the_public_cache():
    assert jit_cache.limit == LIMIT
    assert jit_cache.folder == default_folder()
    assert repr(jit_cache).startswith("jit_cache(")


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QIUDAO_CACHE_DIR", str(tmp_path / "named"))
    assert jit_cache.folder == tmp_path / "named"
    assert jit_cache.enabled
    jit_cache.put(KEY, b"code")
    assert jit_cache.path(KEY).parent == tmp_path / "named"


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of another platform")
def test_the_default_folder_follows_the_xdg_standard(tmp_path, monkeypatch):
    monkeypatch.delenv("QIUDAO_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "qiudao"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == tmp_path / ".cache" / "qiudao"


def test_the_environment_turns_it_off(cache, monkeypatch):
    cache.put(KEY, b"code")
    monkeypatch.setenv("QIUDAO_CACHE", "0")
    assert not cache.enabled
    assert cache.get(KEY) is None
    cache.put(OTHER, b"code")
    monkeypatch.delenv("QIUDAO_CACHE")
    assert cache.get(OTHER) is None
    assert cache.get(KEY) == b"code"


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = ObjectCache(tmp_path / "file" / "objects")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not cache.enabled
        cache.put(KEY, b"code")
        assert cache.get(KEY) is None
        assert cache.size() == 0
        cache.clear()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such mode")
class TestOwners:
    def test_the_folder_is_private(self, cache):
        cache.put(KEY, b"code")
        assert cache.folder.stat().st_mode & 0o777 == 0o700
        assert cache.path(KEY).stat().st_mode & 0o777 == 0o600

    def test_a_folder_that_others_may_write_is_refused(self, cache):
        cache.put(KEY, b"code")
        cache.folder.chmod(0o777)
        with pytest.warns(RuntimeWarning, match="QIUDAO_CACHE_DIR"):
            assert cache.get(KEY) is None

    def test_a_folder_of_another_user_is_refused(self, cache, monkeypatch):
        cache.put(KEY, b"code")
        stranger = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: stranger)
        with pytest.warns(RuntimeWarning, match="other users"):
            assert not cache.enabled

    def test_a_file_that_others_may_write_is_a_miss(self, cache):
        cache.put(KEY, b"code")
        cache.path(KEY).chmod(0o666)
        assert cache.get(KEY) is None


WORK = """
import random, sys
from pathlib import Path
from qiudao.codegen.cache import ObjectCache

cache = ObjectCache(Path(sys.argv[1]), limit=20_000)
pick = random.Random(int(sys.argv[2]))
for _ in range(300):
    k = pick.randrange(30)
    key, data = f"{k:064x}", bytes([k]) * 1500
    found = cache.get(key)
    if found not in (None, data):
        sys.exit("a wrong object was read")
    if found is None:
        cache.put(key, data)
    if pick.random() < 0.01:
        cache.clear()
"""


def test_processes_at_once(cache):
    command = [sys.executable, "-W", "error", "-c", WORK, str(cache.folder)]
    workers = [
        subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE, text=True)
        for seed in range(4)
    ]
    messages = [worker.communicate()[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, messages
    assert list(cache.folder.glob("*.tmp")) == []
    cache.evict()
    assert cache.size() <= 20_000
