/* det: the gradient of a determinant that is expanded by minors, along the first row.

   A minor is sum_j (-1)^j a_j below_j, where below_j is the minor without column j and the row.
   On the way down the tree of minors each is told its adjoint, on the way up it tells its value;
   with both, the element a_j gets (-1)^j adjoint below_j: one visit of each minor is all. */

#include <string.h>

#define WIDEST 16

typedef struct {
    const double *matrix;
    double *gradient;
    long size;
} expansion;

/* The minor of rows 1, 2, 3 and columns i, j, k of four; all are constants where this stands. */
static inline __attribute__((always_inline)) double of_three(
    const double (*a)[4], int i, int j, int k, double adjoint, double (*g)[4]) {
    double first = a[2][j] * a[3][k] - a[2][k] * a[3][j];
    double second = a[2][i] * a[3][k] - a[2][k] * a[3][i];
    double third = a[2][i] * a[3][j] - a[2][j] * a[3][i];
    double x = adjoint * a[1][i], y = adjoint * a[1][j], z = adjoint * a[1][k];
    g[1][i] += adjoint * first, g[1][j] -= adjoint * second, g[1][k] += adjoint * third;
    g[2][i] += z * a[3][j] - y * a[3][k], g[3][i] += y * a[2][k] - z * a[2][j];
    g[2][j] += x * a[3][k] - z * a[3][i], g[3][j] += z * a[2][i] - x * a[2][k];
    g[2][k] += y * a[3][i] - x * a[3][j], g[3][k] += x * a[2][j] - y * a[2][i];
    return a[1][i] * first - a[1][j] * second + a[1][k] * third;
}

static double of_four(const expansion *e, const long *columns, double adjoint) {
    double a[4][4], g[4][4] = {0};
    const long top = (e->size - 4) * e->size;
#pragma GCC unroll 4
    for (int row = 0; row < 4; row++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) a[row][j] = e->matrix[top + row * e->size + columns[j]];
    const double below[4] = {
        of_three(a, 1, 2, 3, adjoint * a[0][0], g), -of_three(a, 0, 2, 3, -adjoint * a[0][1], g),
        of_three(a, 0, 1, 3, adjoint * a[0][2], g), -of_three(a, 0, 1, 2, -adjoint * a[0][3], g)};
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) g[0][j] = adjoint * below[j];
#pragma GCC unroll 4
    for (int row = 0; row < 4; row++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) e->gradient[top + row * e->size + columns[j]] += g[row][j];
    return a[0][0] * below[0] + a[0][1] * below[1] + a[0][2] * below[2] + a[0][3] * below[3];
}

static double minor(const expansion *e, long row, const long *columns, double adjoint) {
    const long left = e->size - row;
    if (left == 4) return of_four(e, columns, adjoint);
    long others[WIDEST];
    double value = 0.0, sign = 1.0;
    for (long j = 1; j < left; j++) others[j - 1] = columns[j];
    for (long j = 0; j < left; j++) {
        const long at = row * e->size + columns[j];
        const double factor = sign * e->matrix[at];
        const double below = minor(e, row + 1, others, factor * adjoint);
        e->gradient[at] += sign * adjoint * below;
        value += factor * below;
        others[j] = columns[j];
        sign = -sign;
    }
    return value;
}

/* Of at least four rows. */
void determinant(const double *matrix, long size, double *gradient) {
    const expansion e = {matrix, gradient, size};
    long columns[WIDEST];
    for (long j = 0; j < size; j++) columns[j] = j;
    memset(gradient, 0, size * size * sizeof(double));
    minor(&e, 0, columns, 1.0);
}

/* The same expansion, each minor found once: as many as there are sets of columns, not orders of
   them. Bits of a set are the columns that are gone, row after row. `work`: 2^(size + 1). */
void shared(const double *matrix, long size, double *work, double *gradient) {
    const long sets = 1L << size;
    double *minors = work, *adjoints = work + sets;
    minors[sets - 1] = 1.0;
    for (long gone = sets - 2; gone >= 0; gone--) {
        const double *row = matrix + __builtin_popcountl(gone) * size;
        double value = 0.0, sign = 1.0;
        for (long j = 0; j < size; j++) {
            if (gone >> j & 1) continue;
            value += sign * row[j] * minors[gone | 1L << j];
            sign = -sign;
        }
        minors[gone] = value;
    }
    memset(gradient, 0, size * size * sizeof(double));
    memset(adjoints, 0, sets * sizeof(double));
    adjoints[0] = 1.0;
    for (long gone = 0; gone < sets - 1; gone++) {
        const long top = __builtin_popcountl(gone) * size;
        double adjoint = adjoints[gone];
        for (long j = 0; j < size; j++) {
            if (gone >> j & 1) continue;
            gradient[top + j] += adjoint * minors[gone | 1L << j];
            adjoints[gone | 1L << j] += adjoint * matrix[top + j];
            adjoint = -adjoint;
        }
    }
}
