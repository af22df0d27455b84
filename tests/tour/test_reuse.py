from qiudao.tour.reuse import gradient_at_once, terms
from qiudao.tour.study import START, Y, Z


def test_each_use_adds_its_own_term():
    assert [term.slope for term in terms()] == [20, 20, -4]
    assert [term.gradient for term in terms()] == [131072000 * slope for slope in (20, 20, -4)]


def test_one_sweep_gives_the_sum_of_the_terms():
    total = gradient_at_once()
    assert total.slope == sum(term.slope for term in terms()) == 36
    assert total.gradient == sum(term.gradient for term in terms()) == 131072000 * 36


def test_it_is_the_z_of_the_study():
    y = Y(START)
    assert Z(y) == y * y - 4 * y == 320
