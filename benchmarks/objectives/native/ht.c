/* ht: the Jacobian of the residuals by the pose, and by where points lie on their triangles.

   A residual is linear in the homogeneous positions that the mesh holds of its vertex, so that a
   parameter's slope is a (3, 4) matrix for each bone that it moves. The four angles of a finger
   move its last three bones only, and are next to each other: they are the lanes of a vector.
   The point (u, v) of a triangle has as its positions the corners', mixed. */

#include <math.h>
#include <string.h>

#define FINGERS 5
#define BONES 22
#define ROWS (4 * BONES)                /* of the mesh */
#define PARAMETERS (6 + 4 * FINGERS)
#define JOINTS 3                        /* bones of a finger that turn, from its second bone on */
#define BLOCK 8                         /* vertices at once: a line of the cache of each row */

typedef double quad __attribute__((vector_size(32), may_alias));
typedef double unaligned __attribute__((vector_size(32), may_alias, aligned(8)));
typedef struct { quad row[4]; } matrix;
typedef struct { quad by_coordinate[4 * JOINTS][3]; } finger; /* lanes: the finger's angles */
typedef struct { quad half[2]; } block;                      /* lanes: vertices */

typedef struct {
    double position[ROWS][3];  /* of a vertex in the hand's frame */
    double turned[3][3];       /* the whole hand's rotation */
    double by_axis[3][3][3];   /* its derivatives, negated: parameter, coordinate, in the frame */
    finger fingers[FINGERS];   /* negated as well */
} pose;

static inline matrix loaded(const double *from) {
    matrix a;
    for (int i = 0; i < 4; i++) a.row[i] = *(const unaligned *)(from + 4 * i);
    return a;
}

static inline matrix product(const matrix *a, const matrix *b) {
    matrix c;
    for (int i = 0; i < 4; i++)
        c.row[i] = a->row[i][0] * b->row[0] + a->row[i][1] * b->row[1] + a->row[i][2] * b->row[2]
                 + a->row[i][3] * b->row[3];
    return c;
}

/* The first three columns of a transform turned by a (3, 3) matrix, the last one as it is, or 0. */
static inline matrix turned(const matrix *a, const double t[3][3], double last) {
    matrix b = {{{t[0][0], t[0][1], t[0][2]}, {t[1][0], t[1][1], t[1][2]},
                 {t[2][0], t[2][1], t[2][2]}, {0, 0, 0, last}}};
    return product(a, &b);
}

/* R about a vector by its length, and dR/dr_i = (r_i [r] + [r x (1 - R) e_i]) R / |r|^2 */
static void whole_hand(const double *r, pose *to) {
    double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], angle = sqrt(square);
    double s = sin(angle) / angle, m = (1.0 - cos(angle)) / square, cosine = cos(angle);
    double skew[3][3] = {{0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
    double (*a)[3] = to->turned;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            a[i][j] = (i == j ? cosine : 0.0) + m * r[i] * r[j] + s * skew[i][j];
    for (int p = 0; p < 3; p++) {
        double e[3] = {(p == 0) - a[0][p], (p == 1) - a[1][p], (p == 2) - a[2][p]};
        double x[3] = {r[1] * e[2] - r[2] * e[1], r[2] * e[0] - r[0] * e[2],
                       r[0] * e[1] - r[1] * e[0]};
        double cross[3][3] = {{0, -x[2], x[1]}, {x[2], 0, -x[0]}, {-x[1], x[0], 0}};
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double sum = 0.0;
                for (int k = 0; k < 3; k++) sum += (r[p] * skew[i][k] + cross[i][k]) * a[k][j];
                to->by_axis[p][i][j] = -sum / square;
            }
    }
}

static void place(pose *to, int bone, const matrix *transform) {
    for (int i = 0; i < 4; i++)
        for (int axis = 0; axis < 3; axis++)
            to->position[4 * bone + i][axis] = transform->row[axis][i];
}

/* One lane of a finger's coefficients: minus the hand's rotation times a transform's slope. */
static void lean(const pose *whole, finger *to, int joint, int lane, const matrix *slope) {
    for (int axis = 0; axis < 3; axis++) {
        const double *t = whole->turned[axis];
        quad row = t[0] * slope->row[0] + t[1] * slope->row[1] + t[2] * slope->row[2];
        for (int i = 0; i < 4; i++) to->by_coordinate[4 * joint + i][axis][lane] = -row[i];
    }
}

static void pose_of(const double *theta, const double *base, const double *inverse, pose *to) {
    double cosines[4 * FINGERS], sines[4 * FINGERS];
    matrix wrist = loaded(base), back = loaded(inverse), placed = product(&wrist, &back);
    whole_hand(theta, to);
    for (int i = 0; i < 4 * FINGERS; i++) cosines[i] = cos(theta[6 + i]);
    for (int i = 0; i < 4 * FINGERS; i++) sines[i] = sin(theta[6 + i]);
    memset(to->fingers, 0, sizeof to->fingers);
    place(to, 0, &placed);
    for (int bone = 1; bone < BONES; bone += 4) { /* a finger's stiff bone, or else the forearm */
        matrix relative = loaded(base + 16 * bone), before = product(&wrist, &relative);
        back = loaded(inverse + 16 * bone);
        placed = product(&before, &back);
        place(to, bone, &placed);
        int which = bone / 4;
        if (which == FINGERS) break;
        matrix slopes[4];
        for (int joint = 0, lanes = 0; joint < JOINTS; joint++) {
            /* R_z R_x, where only the first joint has a z */
            int x = 4 * which + (joint ? joint + 1 : 0), z = 4 * which + 1, here = bone + 1 + joint;
            double cx = cosines[x], sx = sines[x];
            double cz = joint ? 1.0 : cosines[z], sz = joint ? 0.0 : sines[z];
            double turn[3][3] = {{cz, -cx * sz, sx * sz}, {sz, cx * cz, -sx * cz}, {0, sx, cx}};
            double by_x[3][3] = {{0, sx * sz, cx * sz}, {0, -sx * cz, -cx * cz}, {0, cx, -sx}};
            double by_z[3][3] = {{-sz, -cx * cz, sx * cz}, {cz, -cx * sz, sx * sz}, {0, 0, 0}};
            matrix bare = loaded(base + 16 * here);
            relative = turned(&bare, turn, 1.0);
            back = loaded(inverse + 16 * here);
            for (int lane = 0; lane < lanes; lane++)
                slopes[lane] = product(slopes + lane, &relative);
            matrix own = turned(&bare, by_x, 0.0);
            slopes[lanes++] = product(&before, &own);
            if (joint == 0) {
                own = turned(&bare, by_z, 0.0);
                slopes[lanes++] = product(&before, &own);
            }
            before = product(&before, &relative);
            placed = product(&before, &back);
            place(to, here, &placed);
            for (int lane = 0; lane < lanes; lane++) {
                matrix slope = product(slopes + lane, &back);
                lean(to, to->fingers + which, joint, lane, &slope);
            }
        }
    }
}

/* The mesh of a block of vertices, by a triangle's corner: its positions in the hand's frame. Adds
   the corner's share to what is mixed. */
static inline void corner(const pose *p, const double *mesh, long stride, const block *share,
                          int first, block *restrict mixed, block at[3]) {
    block x = {0}, y = {0}, z = {0};
    for (int k = 0; k < ROWS; k++) {
        const double *from = mesh + k * stride;
        for (int h = 0; h < 2; h++) {
            quad m = *(const unaligned *)(from + 4 * h);
            mixed[k].half[h] = first ? share->half[h] * m : mixed[k].half[h] + share->half[h] * m;
            x.half[h] += p->position[k][0] * m;
            y.half[h] += p->position[k][1] * m;
            z.half[h] += p->position[k][2] * m;
        }
    }
    at[0] = x, at[1] = y, at[2] = z;
}

static inline block rotated(const double row[3], const block at[3]) {
    block y;
    for (int h = 0; h < 2; h++)
        y.half[h] = row[0] * at[0].half[h] + row[1] * at[1].half[h] + row[2] * at[2].half[h];
    return y;
}

static inline void put(double *to, long stride, block values, long length) {
    for (long i = 0; i < length; i++) to[i * stride] = values.half[i / 4][i % 4];
}

/* By the four angles of each finger: `length` vertices, of which four are taken at a time. */
static void by_fingers(const pose *p, const block *mixed, double *to, long rows, long length) {
    for (int f = 0; f < FINGERS; f++) {
        const finger *slopes = p->fingers + f;
        const block *m = mixed + 4 * (2 + 4 * f);
        for (long h = 0; h < 2 && 4 * h < length; h++) {
            quad sums[4][3] = {0};
            for (int k = 0; k < 4 * JOINTS; k++)
                for (int v = 0; v < 4; v++)
                    for (int axis = 0; axis < 3; axis++)
                        sums[v][axis] += slopes->by_coordinate[k][axis] * m[k].half[h][v];
            for (long v = 0; v < 4 && 4 * h + v < length; v++)
                for (int axis = 0; axis < 3; axis++)
                    *(unaligned *)(to + (axis * rows + 4 * h + v) * PARAMETERS + 6 + 4 * f)
                        = sums[v][axis];
        }
    }
}

/* Of `length` points from one on; `rows` are all the points. at and by_shift may be null. */
static void points(const pose *p, const double *mesh, long stride, long between, const double *at,
                   long at_stride, double *by_theta, double *by_shift, long rows, long length) {
    block mixed[ROWS], found[3][3], one;
    for (int h = 0; h < 2; h++) one.half[h] = (quad){1, 1, 1, 1};
    if (at == 0) {
        corner(p, mesh, stride, &one, 1, mixed, found[0]);
    } else {
        block share[3];
        for (int h = 0; h < 2; h++) {
            share[0].half[h] = *(const unaligned *)(at + 4 * h);
            share[1].half[h] = *(const unaligned *)(at + at_stride + 4 * h);
            share[2].half[h] = one.half[h] - share[0].half[h] - share[1].half[h];
        }
        for (int c = 0; c < 3; c++)
            corner(p, mesh + c * between, stride, share + c, c == 0, mixed, found[c]);
        for (int axis = 0; axis < 3; axis++) {
            block last = found[2][axis];
            for (int h = 0; h < 2; h++) {
                quad u = last.half[h] - found[0][axis].half[h];
                quad v = last.half[h] - found[1][axis].half[h];
                found[0][axis].half[h] = last.half[h] - share[0].half[h] * u - share[1].half[h] * v;
                found[1][axis].half[h] = u;
                found[2][axis].half[h] = v;
            }
        }
        for (int axis = 0; axis < 3; axis++)
            for (int i = 0; i < 2; i++)
                put(by_shift + 2 * axis * rows + i, 2, rotated(p->turned[axis], found[1 + i]),
                    length);
    }
    for (int axis = 0; axis < 3; axis++) {
        double *to = by_theta + axis * rows * PARAMETERS;
        for (int i = 0; i < 3; i++)
            put(to + i, PARAMETERS, rotated(p->by_axis[i][axis], found[0]), length);
        for (long v = 0; v < length; v++)
            for (int i = 0; i < 3; i++) to[v * PARAMETERS + 3 + i] = i == axis ? -1.0 : 0.0;
    }
    by_fingers(p, mixed, by_theta, rows, length);
}

/* corners: 1, or else 3, of which `at` has the first two's shares */
static void jacobian(const double *theta, const double *base, const double *inverse,
                     const double *mesh, int corners, const double *at, long count,
                     double *by_theta, double *by_shift) {
    pose p;
    pose_of(theta, base, inverse, &p);
    long whole = count / BLOCK * BLOCK, rest = count - whole;
    for (long i = 0; i < whole; i += BLOCK)
        points(&p, mesh + i, corners * count, count, at ? at + i : 0, count,
               by_theta + i * PARAMETERS, at ? by_shift + 2 * i : 0, count, BLOCK);
    if (rest == 0) return;
    double padded[ROWS][3][BLOCK] = {0}, shares[2][BLOCK] = {0};
    for (long k = 0; k < ROWS * corners; k++)
        memcpy(padded[k / corners][k % corners], mesh + k * count + whole, rest * sizeof(double));
    for (int i = 0; at && i < 2; i++)
        memcpy(shares[i], at + i * count + whole, rest * sizeof(double));
    points(&p, padded[0][0], 3 * BLOCK, BLOCK, at ? shares[0] : 0, BLOCK,
           by_theta + whole * PARAMETERS, at ? by_shift + 2 * whole : 0, count, rest);
}

void simple(const double *theta, const double *base, const double *inverse, const double *mesh,
            long count, double *by_theta) {
    jacobian(theta, base, inverse, mesh, 1, 0, count, by_theta, 0);
}

void complicated(const double *theta, const double *base, const double *inverse,
                 const double *mesh, const double *at, long count, double *by_theta,
                 double *by_shift) {
    jacobian(theta, base, inverse, mesh, 3, at, count, by_theta, by_shift);
}
