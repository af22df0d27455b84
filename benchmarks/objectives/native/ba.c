/* ba: the blocks of the sparse Jacobian, as many observations at once as a vector has lanes.

   With y = x cos t + (r x x) s + r (r . x) m, where t = |r|, s = sin t / t, m = (1 - cos t) / t^2,
   a row g of derivatives by y becomes, by r_i and by x,

       r_i (g . v) + s (x x g)_i + m ((r . x) g_i + x_i (g . r)),   v = dy/dt / t,
       g cos t + (g x r) s + r (g . r) m. */

#include <math.h>
#include <string.h>

#include "vectors.h"

#define CAMERA 11
#define BLOCK 64 /* observations whose sines are taken by one call after the other */

/* added to t^2: at r = 0, s is 1, and the rest is multiplied by r */
static const double NEAR_ZERO = 1e-300;

typedef struct { vec x, y, z; } triple;

static inline vec column(const double *from, long stride) {
    vec found;
    for (int lane = 0; lane < LANES; lane++) found[lane] = from[lane * stride];
    return found;
}

static inline void put(double *to, long stride, vec values) {
    for (int lane = 0; lane < LANES; lane++) to[lane * stride] = values[lane];
}

static inline triple columns(const double *from, long stride) {
    return (triple){column(from, stride), column(from + 1, stride), column(from + 2, stride)};
}

static inline void put_triple(double *to, long stride, triple values) {
    put(to, stride, values.x);
    put(to + 1, stride, values.y);
    put(to + 2, stride, values.z);
}

static inline vec dot(triple a, triple b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

static inline triple cross(triple a, triple b) {
    return (triple){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* a u + b v + c w */
static inline triple mixed(vec a, triple u, vec b, triple v, vec c, triple w) {
    return (triple){a * u.x + b * v.x + c * w.x, a * u.y + b * v.y + c * w.y,
                    a * u.z + b * v.z + c * w.z};
}

/* `count` observations, a multiple of LANES, at most BLOCK */
static void observations(const double *restrict cameras, const double *restrict points,
                         const double *restrict weights, const double *restrict features,
                         long count, double *restrict by_camera, double *restrict by_point,
                         double *restrict by_weight, double *restrict slopes) {
    double angles[BLOCK], sines[BLOCK], cosines[BLOCK];
    for (long i = 0; i < count; i += LANES) {
        triple r = columns(cameras + i * CAMERA, CAMERA);
        store(angles + i, dot(r, r) + NEAR_ZERO);
    }
    for (long i = 0; i < count; i++) angles[i] = sqrt(angles[i]);
    for (long i = 0; i < count; i++) sines[i] = sin(angles[i]);
    for (long i = 0; i < count; i++) cosines[i] = cos(angles[i]);
    for (long i = 0; i < count; i += LANES) {
        const double *camera = cameras + i * CAMERA;
        triple r = columns(camera, CAMERA), centre = columns(camera + 3, CAMERA);
        triple x = columns(points + 3 * i, 3);
        x.x -= centre.x, x.y -= centre.y, x.z -= centre.z;
        vec inverse = 1.0 / load(angles + i), inverse_square = inverse * inverse;
        vec cosine = load(cosines + i), s = load(sines + i) * inverse;
        vec m = (1.0 - cosine) * inverse_square, along = dot(r, x);
        triple turned = cross(r, x);
        triple y = mixed(cosine, x, s, turned, m * along, r);
        triple v = mixed(-s, x, (cosine - s) * inverse_square, turned,
                         (s - 2.0 * m) * inverse_square * along, r);

        vec focal = column(camera + 6, CAMERA), weight = load(weights + i);
        vec k1 = column(camera + 9, CAMERA), k2 = column(camera + 10, CAMERA);
        vec inverse_depth = 1.0 / y.z, u[2] = {y.x * inverse_depth, y.y * inverse_depth};
        vec radius = u[0] * u[0] + u[1] * u[1];
        vec distortion = 1.0 + radius * (k1 + k2 * radius);
        vec by_radius = 2.0 * k1 + 4.0 * k2 * radius;
        vec scale = weight * focal, slope = scale * inverse_depth;
        for (int row = 0; row < 2; row++) {
            double *to = by_camera + 2 * CAMERA * i + CAMERA * row;
            vec bent = slope * by_radius * u[row], straight = slope * distortion;
            vec by_depth = -u[row] * (straight + slope * by_radius * radius);
            triple g = {bent * u[0], bent * u[1], by_depth};
            if (row) g.y += straight; else g.x += straight;
            vec spin = dot(g, v), lean = dot(g, r);
            triple by_r = mixed(spin, r, s, cross(x, g), m * along, g);
            by_r.x += m * lean * x.x, by_r.y += m * lean * x.y, by_r.z += m * lean * x.z;
            triple by_x = mixed(cosine, g, s, cross(g, r), m * lean, r);
            put_triple(to, 2 * CAMERA, by_r);
            put_triple(to + 3, 2 * CAMERA, (triple){-by_x.x, -by_x.y, -by_x.z});
            put(to + 6, 2 * CAMERA, weight * distortion * u[row]);
            put(to + 7 + row, 2 * CAMERA, weight);
            put(to + 8 - row, 2 * CAMERA, (vec){0});
            put(to + 9, 2 * CAMERA, scale * radius * u[row]);
            put(to + 10, 2 * CAMERA, scale * radius * radius * u[row]);
            put_triple(by_point + 6 * i + 3 * row, 6, by_x);
            put(by_weight + 2 * i + row, 2, focal * distortion * u[row]
                + column(camera + 7 + row, CAMERA) - column(features + 2 * i + row, 2));
        }
        store(slopes + i, -2.0 * weight);
    }
}

void ba(const double *cameras, const double *points, const double *weights,
        const double *features, long count, double *by_camera, double *by_point,
        double *by_weight, double *slopes) {
    long whole = count / LANES * LANES, rest = count - whole;
    for (long i = 0; i < whole; i += BLOCK)
        observations(cameras + CAMERA * i, points + 3 * i, weights + i, features + 2 * i,
                     least(BLOCK, whole - i), by_camera + 2 * CAMERA * i, by_point + 6 * i,
                     by_weight + 2 * i, slopes + i);
    if (rest == 0) return;
    double inputs[4][CAMERA * LANES] = {0}, outs[4][2 * CAMERA * LANES];
    memcpy(inputs[0], cameras + CAMERA * whole, CAMERA * rest * sizeof(double));
    memcpy(inputs[1], points + 3 * whole, 3 * rest * sizeof(double));
    memcpy(inputs[2], weights + whole, rest * sizeof(double));
    memcpy(inputs[3], features + 2 * whole, 2 * rest * sizeof(double));
    observations(inputs[0], inputs[1], inputs[2], inputs[3], LANES, outs[0], outs[1], outs[2],
                 outs[3]);
    memcpy(by_camera + 2 * CAMERA * whole, outs[0], 2 * CAMERA * rest * sizeof(double));
    memcpy(by_point + 6 * whole, outs[1], 6 * rest * sizeof(double));
    memcpy(by_weight + 2 * whole, outs[2], 2 * rest * sizeof(double));
    memcpy(slopes + whole, outs[3], rest * sizeof(double));
}
