/* ode: the gradient of the last component of y(end), y_i' = x_i y_(i-1), by Runge and Kutta.

   A step has four stages, at y1 = y, y2 = y + h/2 k1, y3 = y + h/2 k2 and y4 = y + h k3, with
   slopes (k_s)_i = x_i (y_s)_(i-1); it leads to y + h/6 (k1 + 2 k2 + 2 k3 + k4). */

#include <string.h>

#include "vectors.h"

#define PAD 8     /* before a row: the component before the first; aligned with the rest */
#define BLOCK 256
#define ROW (PAD + BLOCK + PAD)

/* The state at the stages of a step; the adjoints of the state after it and of the slopes. */
typedef struct { double *y1, *y2, *y3, *y4; } stages;
typedef struct { double *y, *k2, *k3, *all; } adjoints;

static void find_stages(const double *x, stages at, long length, double h) {
#pragma GCC ivdep
    for (long i = 0; i < length; i++) at.y2[i] = at.y1[i] + 0.5 * h * x[i] * at.y1[i - 1];
#pragma GCC ivdep
    for (long i = 0; i < length; i++) at.y3[i] = at.y1[i] + 0.5 * h * x[i] * at.y2[i - 1];
#pragma GCC ivdep
    for (long i = 0; i < length; i++) at.y4[i] = at.y1[i] + h * x[i] * at.y3[i - 1];
}

/* The state after the step: the slopes k1 to k3 are what the stages differ by. */
static void advance(const double *x, stages at, double *next, long length, double h) {
#pragma GCC ivdep
    for (long i = 0; i < length; i++)
        next[i] = (2.0 * at.y3[i] + at.y2[i] + at.y4[i] - at.y1[i]) / 3.0
                + h / 6.0 * x[i] * at.y4[i - 1];
}

/* Back through the step. `all` is the sum of the slopes' adjoints; that of k4 is h/6 of the
   state's. Needs the component after the last, of x and of the adjoints. */
static void back(const double *x, stages at, adjoints by, double *gradient, long length, double h) {
    const double sixth = h / 6.0, third = h / 3.0;
#pragma GCC ivdep
    for (long i = 0; i < length; i++)
        by.k3[i] = third * by.y[i] + h * sixth * x[i + 1] * by.y[i + 1];
#pragma GCC ivdep
    for (long i = 0; i < length; i++) by.k2[i] = third * by.y[i] + 0.5 * h * x[i + 1] * by.k3[i + 1];
#pragma GCC ivdep
    for (long i = 0; i < length; i++) {
        double k1 = sixth * by.y[i] + 0.5 * h * x[i + 1] * by.k2[i + 1], k4 = sixth * by.y[i];
        gradient[i] += k1 * at.y1[i - 1] + by.k2[i] * at.y2[i - 1]
                     + by.k3[i] * at.y3[i - 1] + k4 * at.y4[i - 1];
        by.all[i] = k1 + by.k2[i] + by.k3[i] + k4;
    }
#pragma GCC ivdep
    for (long i = 0; i < length; i++) by.y[i] += x[i + 1] * by.all[i + 1];
}

/* Over all components. A component depends on those before it alone, so that a block of them,
   which stays in the cache, takes all steps before the next block starts; back likewise, from the
   last block on. What crosses the border of two blocks is kept, for each step: four values of the
   component below it on the way forward, of the component above it on the way back. */

typedef double crossing[4];

typedef struct {
    double x[ROW], y2[ROW], y3[ROW], y4[ROW], y[ROW], k2[ROW], k3[ROW], all[ROW];
} buffers;

static stages stages_in(buffers *b, double *row, const double *below) {
    stages at = {row, b->y2 + PAD, b->y3 + PAD, b->y4 + PAD};
    at.y1[-1] = below[0], at.y2[-1] = below[1], at.y3[-1] = below[2], at.y4[-1] = below[3];
    return at;
}

/* `rows` holds the states of one block, before each step and after the last. */
static void block_forward(buffers *b, double *rows, const crossing *below, crossing *top,
                          long length, long steps, double h) {
    memset(rows, 0, ROW * sizeof(double));
    for (long t = 0; t < steps; t++) {
        double *row = rows + t * ROW + PAD;
        stages at = stages_in(b, row, below[t]);
        find_stages(b->x + PAD, at, length, h);
        long last = length - 1;
        top[t][0] = at.y1[last], top[t][1] = at.y2[last];
        top[t][2] = at.y3[last], top[t][3] = at.y4[last];
        advance(b->x + PAD, at, row + ROW, length, h);
    }
}

/* `above` is what comes from the block above, and becomes what goes to the one below. */
static void block_back(buffers *b, double *rows, const crossing *below, crossing *above,
                       double *gradient, long length, long steps, double h) {
    adjoints by = {b->y + PAD, b->k2 + PAD, b->k3 + PAD, b->all + PAD};
    for (long t = steps - 1; t >= 0; t--) {
        stages at = stages_in(b, rows + t * ROW + PAD, below[t]);
        find_stages(b->x + PAD, at, length, h);
        by.y[length] = above[t][0], by.k2[length] = above[t][1];
        by.k3[length] = above[t][2], by.all[length] = above[t][3];
        above[t][0] = by.y[0];
        back(b->x + PAD, at, by, gradient, length, h);
        above[t][1] = by.k2[0], above[t][2] = by.k3[0], above[t][3] = by.all[0];
    }
}

static void load_x(buffers *b, const double *x, long start, long n) {
    long length = least(BLOCK + 1, n - start);
    memcpy(b->x + PAD, x + start, length * sizeof(double));
    b->x[PAD + length] = 0.0;
}

/* How many doubles `work` has to hold. */
double dense_work(long n, long steps) {
    long blocks = (n + BLOCK - 1) / BLOCK;
    return blocks * (steps + 1) * ROW + (blocks + 2) * steps * 4.0;
}

void dense(const double *x, long n, long steps, double end, double *work, double *gradient) {
    const double h = end / steps;
    const long blocks = (n + BLOCK - 1) / BLOCK, states = (steps + 1) * ROW;
    crossing *below = (crossing *)(work + blocks * states), *above = below + (blocks + 1) * steps;
    buffers b;
    for (long i = 0; i < steps; i++) below[i][0] = below[i][1] = below[i][2] = below[i][3] = 1.0;
    for (long block = 0; block < blocks; block++) {
        long start = block * BLOCK, length = least(BLOCK, n - start);
        load_x(&b, x, start, n);
        block_forward(&b, work + block * states, below + block * steps,
                      below + (block + 1) * steps, length, steps, h);
    }
    memset(gradient, 0, n * sizeof(double));
    memset(above, 0, steps * sizeof(crossing));
    for (long block = blocks - 1; block >= 0; block--) {
        long start = block * BLOCK, length = least(BLOCK, n - start);
        load_x(&b, x, start, n);
        memset(b.y, 0, sizeof b.y);
        if (block == blocks - 1) b.y[PAD + length - 1] = 1.0;
        block_back(&b, work + block * states, below + block * steps, above, gradient + start,
                   length, steps, h);
    }
}

/* Over those components alone that are not zero and reach the last one: a step has four slopes,
   so that the state before step t is zero from `filled` = 4 t on, and what is below `needed` does
   not reach n - 1. At the lower end a step makes four components wrong, which are not needed
   after it. `work`: steps + 9 rows of n, with room before and after each. */

static long needed(long n, long steps, long t) {
    long first = n - 1 - 4 * (steps - t);
    return first > 0 ? first : 0;
}

double sparse_work(long n, long steps) { return n > 4 * steps ? 0.0 : (steps + 9.0) * (n + 2 * PAD); }

void sparse(const double *given, long n, long steps, double end, double *work, double *gradient) {
    const double h = end / steps;
    const long row = n + 2 * PAD;
    memset(gradient, 0, n * sizeof(double));
    if (n > 4 * steps) return;
    memset(work, 0, (steps + 9) * row * sizeof(double));
    double *x = work + PAD, *y2 = x + row, *y3 = y2 + row, *y4 = y3 + row, *y = y4 + row;
    double *k2 = y + row, *k3 = k2 + row, *all = k3 + row, *states = all + row;
    memcpy(x, given, n * sizeof(double));
    y2[-1] = y3[-1] = y4[-1] = 1.0;
    for (long t = 0; t < steps; t++) {
        long lo = needed(n, steps, t), filled = least(n, 4 * (t + 1));
        double *state = states + t * row;
        state[-1] = 1.0;
        stages at = {state + lo, y2 + lo, y3 + lo, y4 + lo};
        find_stages(x + lo, at, filled - lo, h);
        advance(x + lo, at, state + row + lo, filled - lo, h);
    }
    y[n - 1] = 1.0;
    for (long t = steps - 1; t >= 0; t--) {
        long lo = needed(n, steps, t), filled = least(n, 4 * (t + 1));
        stages at = {states + t * row + lo, y2 + lo, y3 + lo, y4 + lo};
        adjoints by = {y + lo, k2 + lo, k3 + lo, all + lo};
        find_stages(x + lo, at, filled - lo, h);
        back(x + lo, at, by, gradient + lo, filled - lo, h);
    }
}
