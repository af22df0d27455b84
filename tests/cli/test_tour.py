import pytest

pytest.importorskip("rich")
pytest.importorskip("matplotlib")


@pytest.fixture
def walked(monkeypatch):
    """Replaces the tour itself, which tests/tour takes; gives the folders it was sent to."""
    folders = []
    monkeypatch.setattr("qiudao.tour.guide.take_tour", folders.append)
    return folders


def test_the_pictures_go_where_out_says(qiudao, walked, tmp_path):
    folder = tmp_path / "a" / "b"
    assert qiudao("tour", "--out", str(folder)).code == 0
    assert walked == [folder]
    assert folder.is_dir()


def test_without_out_they_go_to_a_folder_here(qiudao, walked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert qiudao("tour").code == 0
    assert (tmp_path / "qiudao-tour").is_dir()


def test_a_folder_that_cannot_be_is_one_line_and_exit_code_2(refused, walked, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    assert "name another folder with --out" in refused("tour", "--out", str(file))
    assert walked == []
