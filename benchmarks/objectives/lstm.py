"""ADBench's LSTM: the gradient of a sequence's loss, by all weights of l layers of b diagonal
cells.

A cell of weights W, V (4, b) turns its input x, output h and memory c into

    c' = sigmoid(x W_0 + V_0) c + sigmoid(h W_1 + V_1) tanh(h W_3 + V_3)
    h' = sigmoid(x W_2 + V_2) tanh(c')

The first layer reads x E_0; the prediction is y = h E_1 + E_2 of the last. With the next element
z as the truth, the loss is -mean z (y - log(2 + sum exp(y))) over the c - 1 steps and the b
components.
"""

from types import SimpleNamespace

import numpy as np

from ctool import aligned, filling, native
from objectives import data
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    gradient_in_jax,
    gradient_in_qiudao,
    gradient_in_torch,
    load_casadi,
    load_jax,
    load_torch,
    through_casadi,
)

SIZES = [
    {"l": layers, "c": steps}
    for layers, steps in ((2, 1_024), (4, 1_024), (6, 1_024), (2, 4_096), (4, 4_096), (6, 8_192))
]
SMALL = {"l": 2, "c": 5}
WIDTH, PADDED = 14, 16  # the latter in C
MOST_IN_CASADI = 8_192  # steps of all layers; gcc takes a minute for its code of more
UNROLLED = 32  # steps
KEPT = 6  # rows of a step and a layer, in C: gates, memory, and tanh of the new one


def inputs(l: int, c: int) -> Inputs:  # noqa: E741 (the size's published name)
    """The weights of the cells (l, 2, 4, b) and E (3, b); the states (l, 2, b); the sequence."""
    published = f"lstm_l{l}_c{c}.txt"
    where = data.folder()
    if where is not None and (where / published).exists():
        numbers = np.array(data.text(published).split(), float)[3:]
        sizes = np.cumsum([8 * l * WIDTH, 3 * WIDTH, 2 * l * WIDTH])
        main, extra, state, sequence = np.split(numbers, sizes)
    else:
        rng = np.random.default_rng((l, c))
        main, extra, state, sequence = (
            rng.uniform(size=count * WIDTH) for count in (8 * l, 3, 2 * l, c)
        )
        sequence = np.round(sequence)  # bits of letters, in the published file
    return Inputs(
        (main.reshape(l, 2, 4, WIDTH), extra.reshape(3, WIDTH)),
        (state.reshape(l, 2, WIDTH), sequence.reshape(-1, WIDTH)[:c]),
    )


def sigmoid(x, xp=np):
    return 1 / (1 + xp.exp(-x))


def cell(weights, x, h, c, xp=np):
    w, v = weights[0], weights[1]
    forget = sigmoid(x * w[0] + v[0], xp)
    write = sigmoid(h * w[1] + v[1], xp)
    out = sigmoid(x * w[2] + v[2], xp)
    change = xp.tanh(h * w[3] + v[3])
    c = forget * c + write * change
    return out * xp.tanh(c), c


def predict(main, extra, states, x, xp=np):
    """The prediction for one step, and the states after it."""
    x = x * extra[0]
    after = []
    for weights, (h, c) in zip(main, states):
        x, c = cell(weights, x, h, c, xp)
        after.append((x, c))
    return x * extra[1] + extra[2], after


def loss(predictions, truths, xp=np):
    normalised = predictions - xp.log(2 + xp.exp(predictions).sum(1))[:, None]
    return -(truths * normalised).mean()


def objective(main, extra, state, sequence, xp=np):
    states = [(h, c) for h, c in state]
    predictions = []
    for x in sequence[:-1]:
        y, states = predict(main, extra, states, x, xp)
        predictions.append(y)
    return loss(xp.stack(predictions), sequence[1:], xp)


def by_hand(given: Inputs) -> tuple[Array, Array]:
    """Back through time: each cell's adjoints from what it kept; sums over steps at the end."""
    (main, extra), (state, sequence) = given.by, given.data
    layers, steps = len(main), len(sequence) - 1
    kept = np.empty((steps, layers, 7, WIDTH))  # x, h, c, then the four gates
    memories = np.empty((steps, layers, WIDTH))  # tanh(c')
    tops = np.empty((steps, WIDTH))
    hidden, memory = state[:, 0].copy(), state[:, 1].copy()
    for t in range(steps):
        x = sequence[t] * extra[0]
        for i in range(layers):
            w, v = main[i]
            entry = np.stack([x, hidden[i], x, hidden[i]]) * w + v
            gates = np.tanh(entry)
            gates[:3] = sigmoid(entry[:3])
            kept[t, i] = [x, hidden[i], memory[i], *gates]
            memory[i] = gates[0] * memory[i] + gates[1] * gates[3]
            memories[t, i] = np.tanh(memory[i])
            x = hidden[i] = gates[2] * memories[t, i]
        tops[t] = x
    y = tops * extra[1] + extra[2]
    truth = sequence[1:]
    powers = np.exp(y)
    softmax = powers / (2 + powers.sum(1, keepdims=True))
    by_y = (truth.sum(1, keepdims=True) * softmax - truth) / truth.size
    by_entry = np.empty((steps, layers, 4, WIDTH))
    bottoms = np.empty((steps, WIDTH))
    hidden_adjoint, memory_adjoint = np.zeros_like(hidden), np.zeros_like(memory)
    for t in range(steps - 1, -1, -1):
        down = by_y[t] * extra[1]
        for i in range(layers - 1, -1, -1):
            w = main[i, 0]
            _, _, c, forget, write, out, change = kept[t, i]
            h_adjoint = down + hidden_adjoint[i]
            c_adjoint = memory_adjoint[i] + h_adjoint * out * (1 - memories[t, i] ** 2)
            entry = by_entry[t, i]
            entry[0] = c_adjoint * c * forget * (1 - forget)
            entry[1] = c_adjoint * change * write * (1 - write)
            entry[2] = h_adjoint * memories[t, i] * out * (1 - out)
            entry[3] = c_adjoint * write * (1 - change**2)
            back = entry * w
            down = back[0] + back[2]
            hidden_adjoint[i] = back[1] + back[3]
            memory_adjoint[i] = c_adjoint * forget
        bottoms[t] = down
    by_main = np.empty_like(main)
    by_main[:, 0] = (by_entry * kept[:, :, [0, 1, 0, 1]]).sum(0)
    by_main[:, 1] = by_entry.sum(0)
    by_extra = np.stack([(bottoms * sequence[:-1]).sum(0), (by_y * tops).sum(0), by_y.sum(0)])
    return by_main, by_extra


def in_qiudao(given: Inputs) -> Ways:
    return gradient_in_qiudao(objective, given)


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()

    def scanned(main, extra, state, sequence):
        def step(states, x):
            y, after = predict(main, extra, states, x, jax.numpy)
            return after, y

        start = [(h, c) for h, c in state]
        _, predictions = jax.lax.scan(step, start, sequence[:-1])
        return loss(predictions, sequence[1:], jax.numpy)

    return gradient_in_jax(scanned, given)


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(given.bind(objective, xp=load_torch()), given)


def in_c(given: Inputs) -> Ways:
    (main, _), (_, sequence) = given.by, given.data
    layers, steps = len(main), len(sequence) - 1
    work = aligned(PADDED * (2 * steps + 1 + KEPT * layers * steps))
    outs = tuple(np.empty_like(x) for x in given.by)
    return {"C": filling(outs, native("lstm").lstm, *given.all, layers, steps, work)}


def in_casadi(given: Inputs) -> Ways:
    """One step, accumulated over the sequence, and the sum's gradient."""
    casadi = load_casadi()
    (main, extra), (state, sequence) = given.by, given.data
    layers, steps = len(main), len(sequence) - 1
    if layers * steps > MOST_IN_CASADI:
        return {}
    step = step_in_casadi(layers, steps, casadi)
    sizes = (main.size, 1), (extra.size, 1), (state.size, 1), (WIDTH, steps + 1)
    by_main, by_extra, start, xs = symbols = [casadi.MX.sym("x", *size) for size in sizes]
    weights = (casadi.repmat(by, 1, steps) for by in (by_main, by_extra))
    every = step.mapaccum("every", steps, 1, {"base": UNROLLED})
    _, losses = every(start, xs[:, :-1], xs[:, 1:], *weights)
    gradients = [casadi.gradient(casadi.sum2(losses), by) for by in (by_main, by_extra)]
    whole = casadi.Function("whole", symbols, gradients)
    return through_casadi(whole, given.all, [main.shape, extra.shape])


def step_in_casadi(layers, steps, casadi):
    """The states after a step, and its part of the loss."""
    xp = SimpleNamespace(exp=casadi.exp, tanh=casadi.tanh)
    sizes = 2 * layers, 1, 1, 8 * layers, 3
    symbols = [casadi.SX.sym("x", size * WIDTH) for size in sizes]
    state, _, _, main, extra = (casadi.vertsplit(x, WIDTH) for x in symbols)
    _, x, truth, _, _ = symbols
    cells = [(main[i : i + 4], main[i + 4 : i + 8]) for i in range(0, len(main), 8)]
    y, after = predict(cells, extra, list(zip(state[::2], state[1::2])), x, xp)
    normalised = y - casadi.log(2 + casadi.sum1(casadi.exp(y)))
    part = -casadi.dot(truth, normalised) / (steps * WIDTH)
    after = casadi.vertcat(*(x for pair in after for x in pair))
    return casadi.Function("step", symbols, [after, part])
