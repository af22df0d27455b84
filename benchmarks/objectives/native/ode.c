/* ode: the gradient of the last component of y(end), y_i' = x_i y_(i-1), by Runge and Kutta.

   A step has four stages, at y, y2 = y + h/2 k1, y3 = y + h/2 k2 and y4 = y + h k3, with slopes
   (k_s)_i = x_i (y_s)_(i-1); it leads to y + h/6 (k1 + 2 k2 + 2 k3 + k4). A stage reaches one
   component further, so that a step at i takes y from i - 4 on, and its adjoint those up to i + 4:
   what it needs of the stages beside i is computed anew, in place of three passes over memory.

   Component 0 is here the constant 1, whose x is 0; what is beyond either end is zero. `x` is
   h x / 2, the adjoint is divided by 6, and the gradient by h, until the end. */

#include <string.h>

#include "vectors.h"

#define REACH 4
#define PAD 8 /* room for the reach, and aligned */
#define BLOCK 512
#define ROW (PAD + BLOCK + PAD)

static void step(const double *x, const double *restrict y, double *restrict next, long length) {
    for (long i = 0; i < length; i++) {
        double y2 = y[i] + x[i] * y[i - 1], before2 = y[i - 1] + x[i - 1] * y[i - 2];
        double third2 = y[i - 2] + x[i - 2] * y[i - 3], fourth2 = y[i - 3] + x[i - 3] * y[i - 4];
        double y3 = y[i] + x[i] * before2, before3 = y[i - 1] + x[i - 1] * third2;
        double third3 = y[i - 2] + x[i - 2] * fourth2;
        double before4 = y[i - 1] + 2.0 * x[i - 1] * third3;
        next[i] = (y2 + 2.0 * y3 + x[i] * (2.0 * before3 + before4)) * (1.0 / 3.0);
    }
}

/* The adjoint `by` of the state after a step becomes that of the state y before it. Of the
   slopes at i + 1, k4's adjoint is by[i + 1]; k3's and k2's are halved here. */
static void back(const double *x, const double *restrict y, double *restrict by,
                 double *restrict gradient, long length) {
    for (long i = 0; i < length; i++) {
        double y2 = y[i] + x[i] * y[i - 1], before2 = y[i - 1] + x[i - 1] * y[i - 2];
        double third2 = y[i - 2] + x[i - 2] * y[i - 3];
        double y3 = y[i] + x[i] * before2, before3 = y[i - 1] + x[i - 1] * third2;
        double y4 = y[i] + 2.0 * x[i] * before3;
        double k4 = by[i + 1], after4 = by[i + 2], later4 = by[i + 3];
        double k3 = k4 + x[i + 2] * after4, after3 = after4 + x[i + 3] * later4;
        double later3 = later4 + x[i + 4] * by[i + 4];
        double k2 = k4 + x[i + 2] * after3, after2 = after4 + x[i + 3] * later3;
        double k1 = k4 + 2.0 * x[i + 2] * after2;
        gradient[i + 1] += k1 * y[i] + k4 * y4 + 2.0 * (k2 * y2 + k3 * y3);
        by[i] += x[i + 1] * (1.0 / 3.0) * (k1 + k4 + 2.0 * (k2 + k3));
    }
}

static void scale(const double *given, long n, double h, double *x) {
    memset(x - PAD, 0, (PAD + 1) * sizeof *x);
    for (long i = 0; i < n; i++) x[i + 1] = 0.5 * h * given[i];
    memset(x + n + 1, 0, PAD * sizeof *x);
}

/* Over all components. They depend on those before them alone, so that a block of them, which
   stays in the cache, takes all steps before the next block starts; back likewise, from the last
   block on. `states`: for each block, the states before each step. */

double dense_work(long n, long steps) {
    long blocks = n / BLOCK + 1;
    return rounded_up(n + 1 + 2 * PAD, PAD) + blocks * steps * ROW + steps * REACH;
}

void dense(const double *given, long n, long steps, double end, double *work, double *gradient) {
    const double h = end / steps;
    const long blocks = n / BLOCK + 1;
    double *x = work + PAD, (*states)[ROW] = (void *)(work + rounded_up(n + 1 + 2 * PAD, PAD));
    double (*above)[REACH] = (void *)(states + blocks * steps); /* the adjoints there */
    double __attribute__((aligned(64))) adjoints[ROW], sums[ROW], *by = adjoints + PAD;
    scale(given, n, h, x);
    for (long block = 0; block < blocks; block++) {
        long start = block * BLOCK, length = least(BLOCK, n + 1 - start);
        double (*mine)[ROW] = states + block * steps, (*below)[ROW] = mine - steps;
        memset(mine[0], 0, sizeof mine[0]);
        if (block == 0) mine[0][PAD] = 1.0;
        for (long t = 0; t < steps; t++) {
            double *beside = mine[t] + PAD - REACH;
            if (block == 0) memset(beside, 0, REACH * sizeof *x);
            else memcpy(beside, below[t] + PAD + BLOCK - REACH, REACH * sizeof *x);
            if (t < steps - 1) step(x + start, mine[t] + PAD, mine[t + 1] + PAD, length);
        }
    }
    memset(above, 0, steps * sizeof above[0]);
    for (long block = blocks - 1; block >= 0; block--) {
        long start = block * BLOCK, length = least(BLOCK, n + 1 - start);
        double (*mine)[ROW] = states + block * steps;
        memset(adjoints, 0, sizeof adjoints);
        memset(sums, 0, sizeof sums);
        if (block == blocks - 1) by[length - 1] = 1.0 / 6.0;
        for (long t = steps - 1; t >= 0; t--) {
            memcpy(by + length, above[t], sizeof above[t]);
            memcpy(above[t], by, sizeof above[t]);
            back(x + start, mine[t] + PAD, by, sums, length);
        }
        long count = least(length, n - start);
        for (long i = 0; i < count; i++) gradient[start + i] = h * sums[i + 1];
    }
}

/* Over those components alone that are not zero and reach the last one, n: before step t the
   state is zero from 4 t + 1 on, and what is below n - 4 (steps - t) does not reach n. At the
   lower end a step makes four components wrong, which are not needed after it. */

static long needed(long n, long steps, long t) {
    long first = n - REACH * (steps - t);
    return first > 0 ? first : 0;
}

double sparse_work(long n, long steps) {
    return n > REACH * steps ? 0.0 : (steps + 3.0) * (n + 1 + 2 * PAD);
}

void sparse(const double *given, long n, long steps, double end, double *work, double *gradient) {
    const double h = end / steps;
    const long row = n + 1 + 2 * PAD;
    memset(gradient, 0, n * sizeof(double));
    if (n > REACH * steps) return;
    memset(work, 0, (steps + 3) * row * sizeof(double));
    double *x = work + PAD, *by = x + row, *sums = by + row, *states = sums + row;
    scale(given, n, h, x);
    states[0] = 1.0;
    for (long t = 0; t < steps - 1; t++) {
        long lo = needed(n, steps, t), filled = least(n + 1, REACH * (t + 1) + 1);
        step(x + lo, states + t * row + lo, states + (t + 1) * row + lo, filled - lo);
    }
    by[n] = 1.0 / 6.0;
    for (long t = steps - 1; t >= 0; t--) {
        long lo = needed(n, steps, t), filled = least(n + 1, REACH * (t + 1) + 1);
        back(x + lo, states + t * row + lo, by + lo, sums + lo, filled - lo);
    }
    for (long i = 0; i < n; i++) gradient[i] = h * sums[i + 1];
}
