"""Module: attributes as a tree, on the tape and in transforms."""

import copy
import pickle

import numpy as np
import pytest

import qiudao as qd
from qiudao import nn
from qiudao.core.dispatch import concrete
from qiudao.core.trees import flatten


class Mixed(nn.Module):
    """A part of every sort, in every sort of container."""

    def __init__(self):
        self.scale = nn.parameter([1.0, 2.0])
        self.shift = np.array([0.5, 0.25])  # a buffer
        self.mask = np.array([True, False])  # a setting
        self.layers = [nn.Linear(2, 2, rng=0), nn.relu, nn.Linear(2, 2, rng=1)]
        self.table = {"a": nn.parameter(3.0), "names": ("x", 1)}
        self.pair = (nn.parameter(1.0), "label")
        self.nothing = None

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        x = x * self.scale + self.shift
        return np.where(self.mask, x * self.table["a"], x * self.pair[0])


PATHS = [
    "scale", "table.a", "pair.0",
    "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias",
]  # fmt: skip
X = np.array([[1.0, -2.0], [0.5, 3.0]])


def loss(model, x):
    return np.sum(np.square(model(x)))


def test_what_is_what():
    model = Mixed()
    assert [path for path, _ in model.named_parameters()] == PATHS
    assert [path for path, _ in model.named_buffers()] == ["shift"]
    assert [path for path, _ in model.named_modules()] == ["", "layers.0", "layers.2"]
    assert model.children() == [model.layers[0], model.layers[2]]
    assert model.modules() == [model, *model.children()]
    assert model.count_parameters() == 16
    assert list(model.state_dict()) == [
        "scale", "shift", "table.a", "pair.0", *PATHS[3:],
    ]  # fmt: skip


def test_what_a_transform_sees():
    model = Mixed()
    gradient = qd.grad(loss)(model.arrays(), X)
    loss(model, X).backward()
    assert [path for path, _ in gradient.named_parameters()] == PATHS
    for got, p in zip(gradient.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(got, p.grad.numpy(), rtol=1e-12)
    np.testing.assert_array_equal(gradient.shift, 0.0)  # a buffer is a constant
    assert gradient.mask is model.mask
    assert gradient.table["names"] == ("x", 1)
    assert gradient.layers[1] is nn.relu


def test_a_buffer_is_a_constant_in_forward_mode_too():
    model = Mixed().arrays()
    ones = nn.tree_map(np.ones_like, model)
    none = nn.tree_map(np.zeros_like, model)
    none.shift = np.ones(2)
    assert qd.jvp(loss, (model, X), (none, np.zeros_like(X)))[1] == 0.0
    assert qd.jvp(loss, (model, X), (ones, np.zeros_like(X)))[1] != 0.0


def test_a_name_keeps_its_role():
    model = qd.jit(lambda model: nn.tree_map(lambda p: p * 2.0, model))(Mixed().arrays())
    assert isinstance(model.scale, np.ndarray)
    assert [path for path, _ in model.named_parameters()] == PATHS
    model.scale = np.zeros(2)
    model.shift = qd.tensor([1.0, 1.0])
    assert [path for path, _ in model.named_parameters()] == PATHS
    assert [path for path, _ in model.named_buffers()] == ["shift"]
    model.shift = nn.parameter([1.0, 1.0])  # unless a parameter is put there on purpose
    assert model.buffers() == []
    model.scale = None
    assert "scale" not in dict(model.named_parameters())


def test_settings_that_differ_are_another_program():
    traces = []

    @qd.jit
    def run(model, x):
        traces.append(model.training)
        return model(x)

    model = Mixed().arrays()
    for _ in range(2):
        run(model.train(), X)
        run(model.eval(), X)
    model.mask = np.array([False, True])
    run(model, X)
    assert traces == [True, False, False]


def test_training_in_place_and_in_a_transform_take_the_same_steps():
    on_tape, plain = Mixed(), Mixed().arrays()

    @qd.jit
    def step(model, x):
        gradient = qd.grad(loss)(model, x)
        return nn.tree_map(lambda p, g: p - 0.01 * g, model, gradient)

    for _ in range(3):
        loss(on_tape, X).backward()
        with qd.no_grad():
            for p in on_tape.parameters():
                p -= 0.01 * p.grad
        on_tape.zero_grad()
        plain = step(plain, X)
    for p, q in zip(on_tape.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q, rtol=1e-12)


def test_gradients_of_values_mirror_the_model():
    model = nn.Linear(2, 3, rng=0)
    found = qd.grad(loss(model, X), model)
    want = qd.grad(loss)(model.arrays(), X)
    assert type(found) is nn.Linear
    np.testing.assert_allclose(found.weight.numpy(), want.weight, rtol=1e-12)


def test_frozen_parameters_are_parameters():
    model = Mixed()
    model.layers[0].requires_grad_(False)
    loss(model, X).backward()
    assert [path for path, _ in model.named_parameters()] == PATHS
    assert [p.grad is None for p in model.parameters()] == [False] * 3 + [True] * 2 + [False] * 2
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_shared_tensor_is_one_parameter():
    layer, other = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    other.weight = layer.weight
    model = nn.Sequential(layer, other)
    assert len(model.parameters()) == 3
    assert len(model.state_dict()) == 4
    again = model.tensors()
    assert again.layers[0].weight is not layer.weight


def test_train_and_eval_reach_everything():
    model = nn.Sequential(nn.Sequential(nn.Dropout(0.5, rng=0)))
    assert model.eval() is model
    assert [m.training for m in model.modules()] == [False] * 3
    assert [m.training for m in model.train().modules()] == [True] * 3


def test_it_prints_what_it_is():
    assert repr(nn.Linear(2, 3, rng=0)) == (
        "Linear(inputs=2, outputs=3, weight: f64[3, 2], bias: f64[3])"
    )
    assert repr(nn.Sequential(nn.Linear(2, 3, False, rng=0), nn.Dropout(0.1))) == (
        "Sequential(\n"
        "    layers.0: Linear(inputs=2, outputs=3, weight: f64[3, 2]),\n"
        "    layers.1: Dropout(rate=0.1),\n"
        ")"
    )


def test_loading_changes_nothing_when_it_raises():
    model = Mixed()
    before = model.state_dict()
    for wrong in (
        {k: v for k, v in before.items() if k != "scale"},
        {**before, "other": np.ones(1)},
        {**before, "layers.2.bias": np.ones(3)},
    ):
        moved = {k: v + 1.0 for k, v in wrong.items()}
        with pytest.raises(ValueError, match="load_state_dict"):
            model.load_state_dict(moved)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    model.load_state_dict({"scale": np.ones(2), "other": np.ones(1)}, strict=False)
    np.testing.assert_array_equal(model.scale.detach().numpy(), 1.0)


def test_loading_keeps_tensors_and_gradients_apart_from_the_state():
    model = Mixed()
    scale, state = model.scale, model.state_dict()
    state["scale"][:] = 7.0
    assert model.scale.detach().numpy()[0] == 1.0
    model.load_state_dict(state)
    assert model.scale is scale
    assert scale.requires_grad
    state["scale"][:] = 0.0
    assert scale.detach().numpy()[0] == 7.0


def test_arrays_in_containers_are_loaded_too():
    model = Mixed().arrays()
    model.table = {"a.b": [np.ones(2)], "c": (1, (np.ones(1), "x"))}
    state = {name: value + 1.0 for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    np.testing.assert_array_equal(model.table["a.b"][0], 2.0)
    np.testing.assert_array_equal(model.table["c"][1][0], 2.0)
    assert model.table["c"][1][1] == "x"


def test_another_list_in_a_copy_has_no_roles_of_the_old_one():
    model = qd.jit(lambda model: model)(nn.Sequential(nn.Linear(2, 2, rng=0), nn.relu).arrays())
    model.layers = [nn.relu, nn.parameter([1.0])]
    assert [path for path, _ in model.named_parameters()] == ["layers.1"]
    model.layers = [np.ones(1), nn.tanh]
    copied = nn.tree_map(np.zeros_like, model)
    assert copied.layers[1] is nn.tanh
    copied.layers = [nn.tanh, 3]
    assert copied.parameters() == []


def test_a_copy_in_which_something_was_set_is_of_another_structure():
    model = nn.Linear(2, 1, rng=0).arrays()
    same = copy.deepcopy(model)
    assert flatten(same)[1] == flatten(model)[1]
    assert flatten(pickle.loads(pickle.dumps(model)))[1] == flatten(model)[1]
    same.scale = 2.0
    assert flatten(same)[1] != flatten(model)[1]
    del same.scale
    assert flatten(same)[1] == flatten(model)[1]
    same.bias = None
    assert flatten(same)[1] != flatten(model)[1]
    assert len(flatten(same)[0]) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.layers.append(nn.relu),
        lambda model: model.layers.append(nn.Linear(2, 2, rng=3)),
        lambda model: model.layers.reverse(),
        lambda model: model.layers.__setitem__(0, nn.Linear(2, 3, rng=2)),
        lambda model: model.table.update(b=np.ones(2)),
        lambda model: model.table.__setitem__("a", nn.parameter([5.0])),
        lambda model: model.table.__setitem__("names", ("y", 1)),
    ],
)
def test_a_copy_whose_lists_and_dicts_changed_comes_apart_as_it_is_now(change):
    model, fresh = Mixed().arrays(), Mixed()
    assert flatten(model)[1] == flatten(fresh)[1]
    change(model)
    change(fresh)
    leaves, structure = flatten(fresh)
    assert flatten(model)[1] == structure
    for found, wanted in zip(flatten(model)[0], leaves, strict=True):
        np.testing.assert_array_equal(concrete(found), concrete(wanted))


def test_a_copy_in_whose_layers_something_was_set_has_the_new_value():
    model = Mixed().arrays()
    model.layers[0].weight = np.zeros((2, 2))
    model.table["a"] = np.array(5.0)
    found = dict(zip(flatten(model)[1].paths, flatten(model)[0]))
    assert found[".table.a"] == 5.0
    assert not found[".layers.0.weight"].any()


def test_a_module_may_name_its_attributes_as_it_likes():
    class Named(nn.Module):
        def __init__(self):
            self.frame = nn.parameter([1.0])
            self.roles = nn.parameter([2.0])
            self.parts = [nn.parameter([3.0])]
            self.made = 4

        def __call__(self, x):
            return x * self.frame * self.roles * self.parts[0] * self.made

    gradient = qd.grad(lambda model: model(1.0).sum())(Named().arrays())
    assert [float(x[0]) for x in gradient.parameters()] == [24.0, 12.0, 8.0]
