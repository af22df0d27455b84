/* kmeans: Newton's direction, the centroid less the mean of the points that are nearest to it.

   Points stand in the lanes, VECTORS vectors of them at a time, and meet four centroids at once,
   so that the products wait for nothing. |p - c|^2 is least where |c|^2 / 2 - p c is. */

#include <string.h>

#include "vectors.h"

#define VECTORS 3
#define POINTS (VECTORS * LANES)
#define WIDEST 64 /* dimensions */

typedef struct {
    vec distance[VECTORS];
    mask centroid[VECTORS];
} nearest;

/* Centroids first, ..., first + count - 1, which is a constant wherever this is called. */
static inline __attribute__((always_inline)) void compare(
    nearest *found, const vec (*points)[VECTORS], const double *centroids, const double *halves,
    long first, long d, const int count) {
    vec far[4][VECTORS];
    const double *rows = centroids + first * d;
    for (int c = 0; c < count; c++)
        for (int v = 0; v < VECTORS; v++) far[c][v] = halves[first + c] - (vec){0};
    for (long axis = 0; axis < d; axis++)
        for (int c = 0; c < count; c++)
            for (int v = 0; v < VECTORS; v++) far[c][v] -= rows[c * d + axis] * points[axis][v];
    for (int v = 0; v < VECTORS; v++)
        for (int c = 0; c < count; c++) {
            mask nearer = far[c][v] < found->distance[v], index = first + c - (mask){0};
            found->distance[v] =
                (vec)chosen(nearer, (mask)far[c][v], (mask)found->distance[v]);
            found->centroid[v] = chosen(nearer, index, found->centroid[v]);
        }
}

static void find_nearest(nearest *found, const vec (*points)[VECTORS], const double *centroids,
                         const double *halves, long k, long d) {
    for (int v = 0; v < VECTORS; v++) {
        found->distance[v] = 1e300 - (vec){0};
        found->centroid[v] = (mask){0};
    }
    long j = 0;
    for (; j + 4 <= k; j += 4) compare(found, points, centroids, halves, j, d, 4);
    if (k - j == 1) compare(found, points, centroids, halves, j, d, 1);
    if (k - j == 2) compare(found, points, centroids, halves, j, d, 2);
    if (k - j == 3) compare(found, points, centroids, halves, j, d, 3);
}

/* `work`: 2 k doubles. */
void direction(const double *restrict centroids, const double *restrict points, long k, long n,
               long d, double *restrict work, double *restrict out) {
    double *halves = work, *counts = work + k;
    vec lanes[WIDEST][VECTORS];
    for (long j = 0; j < k; j++) {
        halves[j] = counts[j] = 0.0;
        for (long axis = 0; axis < d; axis++)
            halves[j] += 0.5 * centroids[j * d + axis] * centroids[j * d + axis];
    }
    memset(out, 0, k * d * sizeof(double));
    memset(lanes, 0, sizeof lanes);
    for (long start = 0; start < n; start += POINTS) {
        long length = least(POINTS, n - start);
        const double *rows = points + start * d;
        for (long axis = 0; axis < d; axis++)
            for (long p = 0; p < length; p++) ((double *)lanes[axis])[p] = rows[p * d + axis];
        nearest found;
        find_nearest(&found, (const vec(*)[VECTORS])lanes, centroids, halves, k, d);
        for (long p = 0; p < length; p++) {
            long j = ((long *)found.centroid)[p];
            counts[j] += 1.0;
            for (long axis = 0; axis < d; axis++) out[j * d + axis] += rows[p * d + axis];
        }
    }
    for (long j = 0; j < k; j++)
        for (long axis = 0; axis < d; axis++)
            out[j * d + axis] = centroids[j * d + axis] - out[j * d + axis] / counts[j];
}
