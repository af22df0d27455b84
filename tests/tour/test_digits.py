from importlib.resources import files

import numpy as np
import pytest

from qiudao.tour.digits import load_digits, split


def test_the_set_is_complete():
    digits = load_digits()
    assert len(digits) == 1797
    assert digits.images.shape == (1797, 64)
    assert digits.images.min() == 0.0
    assert digits.images.max() == 1.0
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_it_is_the_set_that_scikit_learn_ships():
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_digits()
    ours = load_digits()
    np.testing.assert_array_equal(ours.images * 16, theirs.data)
    np.testing.assert_array_equal(ours.labels, theirs.target)


def test_its_source_and_licence_stand_beside_it():
    text = (files("qiudao.tour") / "data" / "digits.txt").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "UCI Machine Learning Repository", "CC BY 4.0"):
        assert words in text


def test_no_digit_is_in_both_parts():
    digits = load_digits()
    training, test = split(digits, 0.2, np.random.default_rng(0))
    assert len(training) + len(test) == len(digits)
    assert len(test) >= 0.2 * len(digits)
    pieces = np.concatenate([training.images, test.images])
    assert sorted(map(bytes, pieces)) == sorted(map(bytes, digits.images))


def test_the_split_depends_on_the_seed_alone():
    digits = load_digits()
    one, same, other = (split(digits, 0.2, np.random.default_rng(s))[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(one.images, same.images)
    assert not np.array_equal(one.images, other.images)
