/* lstm: the gradient of the loss, by all weights; forward and back one layer at a time.

   A layer's inputs are known before it starts, so that the two gates that see only them are taken
   of all steps at once. Rows of 14 are padded to 16: a few vectors, of which one kind of operation
   after the other is done, since each of them waits long for its own exponential. */

#include <string.h>

#include "vectors.h"

#define WIDTH 14
#define PADDED 16
#define PARTS (PADDED / LANES)
#define EACH for (int p = 0; p < PARTS; p++)

typedef long longs __attribute__((vector_size(8 * LANES)));
typedef int ints __attribute__((vector_size(4 * LANES)));
typedef struct { vec part[PARTS]; } row;
typedef struct { vec forget, write, out, change, memory, bent; } cell; /* bent: tanh(c') */

static const double FARTHEST = 350.0; /* the product of two exponentials is finite */

/* e^r for |r| <= log(2) / 2, with a relative error below 2.2e-16 (Remez) */
static const double SERIES[] = {
    1.0, 1.0000000000000064, 0.49999999999997286, 0.16666666666557742, 0.041666666668426035,
    0.008333333384665867, 0.0013888888499134114, 0.00019841171384134677, 2.4801917692133264e-05,
    2.763976828750562e-06, 2.748844204491595e-07};
enum { DEGREE = 10 };

static inline vec within(vec x) {
    for (int i = 0; i < LANES; i++)
        x[i] = x[i] > FARTHEST ? FARTHEST : x[i] < -FARTHEST ? -FARTHEST : x[i];
    return x;
}

/* x = n log(2) + r, and e^x = 2^n e^r: n is added to the exponent's bits */
static inline void exponentials(vec *x) {
    ints n[PARTS];
    vec y[PARTS];
    EACH x[p] = within(x[p]);
    EACH n[p] = __builtin_convertvector(x[p] * 1.4426950408889634 + 2048.5, ints) - 2048;
    EACH x[p] -= __builtin_convertvector(n[p], vec) * 0.6931471805599453;
    EACH y[p] = x[p] * SERIES[DEGREE] + SERIES[DEGREE - 1];
    for (int i = DEGREE - 2; i >= 0; i--)
        EACH y[p] = y[p] * x[p] + SERIES[i];
    EACH x[p] = (vec)((longs)y[p] + (__builtin_convertvector(n[p], longs) << 52));
}

static inline row padded(const double *from) {
    row x = {0};
    memcpy(&x, from, WIDTH * sizeof(double));
    return x;
}

static inline void unpadded(double *to, const row *x) { memcpy(to, x, WIDTH * sizeof(double)); }

static inline row scaled(row x, double scale) {
    EACH x.part[p] *= scale;
    return x;
}

/* forget and out, sigmoid(a) = 1 / (1 + e^-a); two quotients by one division */
static void gates_of_inputs(const row *w, const row *v, const row *xs, cell *cells, long steps) {
    row w_forget = scaled(w[0], -1), v_forget = scaled(v[0], -1);
    row w_out = scaled(w[2], -1), v_out = scaled(v[2], -1);
    for (int q = 0; q < PARTS; q += PARTS / 2)
        for (long t = 0; t < steps; t++) {
            vec e[PARTS];
            for (int i = 0; i < PARTS / 2; i++) {
                vec x = xs[t].part[q + i];
                e[2 * i] = x * w_forget.part[q + i] + v_forget.part[q + i];
                e[2 * i + 1] = x * w_out.part[q + i] + v_out.part[q + i];
            }
            exponentials(e);
            EACH e[p] += 1.0;
            for (int i = 0; i < PARTS / 2; i++) {
                cell *to = cells + (q + i) * steps + t;
                vec both = 1.0 / (e[2 * i] * e[2 * i + 1]);
                to->forget = both * e[2 * i + 1];
                to->out = both * e[2 * i];
            }
        }
}

/* Replaces a layer's inputs by its outputs. tanh(a) = 1 - 2 / (1 + e^2a) */
static void forward(const double *weights, const double *state, row *xs, cell *cells, long steps) {
    row w[4], v[4], h = padded(state), c = padded(state + WIDTH);
    for (int g = 0; g < 4; g++) {
        w[g] = padded(weights + g * WIDTH);
        v[g] = padded(weights + (4 + g) * WIDTH);
    }
    gates_of_inputs(w, v, xs, cells, steps);
    row w_write = scaled(w[1], -1), v_write = scaled(v[1], -1);
    row w_change = scaled(w[3], 2), v_change = scaled(v[3], 2);
    for (long t = 0; t < steps; t++) {
        vec write[PARTS], change[PARTS], bent[PARTS];
        cell *to = cells + t;
        EACH write[p] = h.part[p] * w_write.part[p] + v_write.part[p];
        EACH change[p] = h.part[p] * w_change.part[p] + v_change.part[p];
        exponentials(write);
        exponentials(change);
        EACH {
            vec a = 1.0 + write[p], b = 1.0 + change[p], both = 1.0 / (a * b);
            write[p] = both * b;
            change[p] = 1.0 - 2.0 * (both * a);
        }
        EACH to[p * steps].memory = c.part[p];
        EACH c.part[p] = to[p * steps].forget * c.part[p] + write[p] * change[p];
        EACH bent[p] = 2.0 * c.part[p];
        exponentials(bent);
        EACH bent[p] = 1.0 - 2.0 / (1.0 + bent[p]);
        EACH h.part[p] = to[p * steps].out * bent[p];
        EACH to[p * steps].write = write[p];
        EACH to[p * steps].change = change[p];
        EACH to[p * steps].bent = bent[p];
        xs[t] = h;
    }
}

static inline vec output(const cell *at) { return at->out * at->bent; }

/* Replaces the adjoints of a layer's outputs by those of its inputs: the outputs of the layer
   below, or else first times scale. */
static void backward(const double *weights, const double *state, const cell *below,
                     const row *first, const row *scale, const cell *cells, row *adjoints,
                     double *by_weights, long steps) {
    row w[4], start = padded(state), sums[8];
    for (int g = 0; g < 4; g++) w[g] = padded(weights + g * WIDTH);
    EACH {
        const cell *here = cells + p * steps, *under = below ? below + p * steps : 0;
        vec w0 = w[0].part[p], w1 = w[1].part[p], w2 = w[2].part[p], w3 = w[3].part[p];
        vec by_w[4] = {0}, by_v[4] = {0}, by_hidden = {0}, by_memory = {0};
        for (long t = steps - 1; t >= 0; t--) {
            cell at = here[t];
            vec x, h = start.part[p];
            if (t) h = output(here + t - 1);
            if (under) x = output(under + t); else x = first[t].part[p] * scale->part[p];
            vec by_h = adjoints[t].part[p] + by_hidden;
            vec by_c = by_memory + by_h * (at.out * (1.0 - at.bent * at.bent));
            by_memory = by_c * at.forget;
            vec forget = by_memory * (at.memory * (1.0 - at.forget));
            vec write = by_c * (at.change * (at.write * (1.0 - at.write)));
            vec out = by_h * (at.bent * (at.out * (1.0 - at.out)));
            vec change = by_c * (at.write * (1.0 - at.change * at.change));
            adjoints[t].part[p] = forget * w0 + out * w2;
            by_hidden = write * w1 + change * w3;
            by_w[0] += forget * x, by_w[1] += write * h, by_w[2] += out * x, by_w[3] += change * h;
            by_v[0] += forget, by_v[1] += write, by_v[2] += out, by_v[3] += change;
        }
        for (int g = 0; g < 4; g++) sums[g].part[p] = by_w[g], sums[4 + g].part[p] = by_v[g];
    }
    for (int g = 0; g < 8; g++) unpadded(by_weights + g * WIDTH, sums + g);
}

/* Replaces the last layer's outputs by their adjoints; y = h e1 + e2. */
static void through_loss(const row *e1, const row *e2, const row *truths, row *hs, row *by_e1,
                         row *by_e2, long steps) {
    for (long t = 0; t < steps; t++) {
        vec y[PARTS], powers = {0}, truth = {0};
        EACH y[p] = hs[t].part[p] * e1->part[p] + e2->part[p];
        exponentials(y);
        EACH powers += y[p];
        EACH truth += truths[t].part[p];
        double total = 2.0 - (PADDED - WIDTH) + sum_of(powers); /* padding's powers are 1 */
        double softly = sum_of(truth) / total, share = 1.0 / (steps * WIDTH);
        EACH {
            vec by_y = (softly * y[p] - truths[t].part[p]) * share;
            by_e1->part[p] += by_y * hs[t].part[p];
            by_e2->part[p] += by_y;
            hs[t].part[p] = by_y * e1->part[p];
        }
    }
}

/* work: rows for the sequence, one a step, and a cell's parts for each layer and step */
void lstm(const double *main, const double *extra, const double *state, const double *sequence,
          long layers, long steps, double *work, double *by_main, double *by_extra) {
    row *inputs = (row *)work, *xs = inputs + steps + 1, e[3], by_e[3] = {0};
    cell *cells = (cell *)(xs + steps);
    const long weights = 8 * WIDTH, states = 2 * WIDTH, size = PARTS * steps;
    for (int i = 0; i < 3; i++) e[i] = padded(extra + i * WIDTH);
    for (long t = 0; t <= steps; t++) inputs[t] = padded(sequence + t * WIDTH);
    for (long t = 0; t < steps; t++) EACH xs[t].part[p] = inputs[t].part[p] * e[0].part[p];
    for (long i = 0; i < layers; i++)
        forward(main + i * weights, state + i * states, xs, cells + i * size, steps);
    through_loss(e + 1, e + 2, inputs + 1, xs, by_e + 1, by_e + 2, steps);
    for (long i = layers - 1; i >= 0; i--)
        backward(main + i * weights, state + i * states, i ? cells + (i - 1) * size : 0, inputs, e,
                 cells + i * size, xs, by_main + i * weights, steps);
    for (long t = 0; t < steps; t++) EACH by_e[0].part[p] += xs[t].part[p] * inputs[t].part[p];
    for (int i = 0; i < 3; i++) unpadded(by_extra + i * WIDTH, by_e + i);
}
