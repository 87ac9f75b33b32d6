/* The optional kernel: what segprep/checking measures of an image in short, 64 x 64 pixels, and of
   the mask at its cells; see _kernel.c. All numbers are whole, so that NumPy gives the same. */

#ifdef __GNUC__
#pragma GCC optimize("no-math-errno") /* sqrt is one instruction */
#endif
#include "_kernel.h"
#include <math.h>

#define GRID 64
#define CELLS (GRID * GRID)
#define AROUND (GRID + 2) /* a row with the cells beyond its ends */
#define LEFT_OUT 255      /* the class of pixels that do not count */
#define TURNS 8
#define MOVES 24   /* the turns, the first of which leaves all as it is, and 16 shifts */
#define TINTS 24   /* kinds of color */
#define CLASSES 64 /* more are none */
#define FAR 10     /* cells of a shift */
#define FARTHEST (1 << 25) /* of a correlation from 0, at least */

/* The cell (down, right) of a turned map is that at start + down * below + right * beside of the
   map as it was: see likeness.TURNS. */
static const struct {
    int start, below, beside;
} turns[TURNS] = {{0, GRID, 1},
                  {GRID - 1, GRID, -1},
                  {CELLS - GRID, -GRID, 1},
                  {CELLS - 1, -GRID, -1},
                  {GRID - 1, -1, GRID},
                  {CELLS - GRID, 1, -GRID},
                  {0, 1, GRID},
                  {CELLS - 1, -1, -GRID}};

static const double quarter[GRID / 4 + 1] = {1,
                                             0.99518472667219693,
                                             0.98078528040323044,
                                             0.95694033573220886,
                                             0.92387953251128674,
                                             0.88192126434835503,
                                             0.83146961230254524,
                                             0.77301045336273696,
                                             0.70710678118654752,
                                             0.63439328416364550,
                                             0.55557023301960222,
                                             0.47139673682599764,
                                             0.38268343236508977,
                                             0.29028467725446236,
                                             0.19509032201612827,
                                             0.09801714032956060,
                                             0};

/* The cosine of a number of 64ths of a turn. */
static double cosine(int number) {
    int at = number & (GRID - 1), near = at > GRID / 2 ? GRID - at : at;
    return near > GRID / 4 ? -quarter[GRID / 2 - near] : quarter[near];
}

#define LANE 8 /* columns that are transformed side by side */

typedef struct {
    double real[GRID][LANE], imaginary[GRID][LANE];
} Lane;

/* One of the three steps (radix 4) of the Fourier transform of a lane's columns, in the order of
   Stockham; apart is 1, 4, 16. */
static void step_of_waves(const Lane *in, Lane *out, int apart) {
    const int rows = GRID / 4;
    for (int part = 0; part < rows / apart; part++) {
        double wave[3][2];
        for (int n = 0; n < 3; n++) {
            int angle = (n + 1) * part * apart;
            wave[n][0] = cosine(angle);
            wave[n][1] = -cosine(angle - GRID / 4);
        }
        for (int q = 0; q < apart; q++) {
            int from = q + apart * part, to = q + 4 * apart * part;
            for (int at = 0; at < LANE; at++) {
                double re[4], im[4], other[3][2];
                for (int n = 0; n < 4; n++) {
                    re[n] = in->real[from + n * rows][at];
                    im[n] = in->imaginary[from + n * rows][at];
                }
                double even = re[0] + re[2], even_im = im[0] + im[2];
                double odd = re[1] + re[3], odd_im = im[1] + im[3];
                double left = re[0] - re[2], left_im = im[0] - im[2];
                double right = re[1] - re[3], right_im = im[1] - im[3];
                out->real[to][at] = even + odd;
                out->imaginary[to][at] = even_im + odd_im;
                other[0][0] = left + right_im, other[0][1] = left_im - right;
                other[1][0] = even - odd, other[1][1] = even_im - odd_im;
                other[2][0] = left - right_im, other[2][1] = left_im + right;
                for (int n = 0; n < 3; n++) {
                    out->real[to + (n + 1) * apart][at] =
                        other[n][0] * wave[n][0] - other[n][1] * wave[n][1];
                    out->imaginary[to + (n + 1) * apart][at] =
                        other[n][0] * wave[n][1] + other[n][1] * wave[n][0];
                }
            }
        }
    }
}

typedef double Plane[GRID][GRID];

/* The Fourier transforms of the first columns of a map, LANE at once, in place; with real and
   imaginary parts exchanged it is the way back. */
static void transform(Plane real, Plane imaginary, int columns) {
    Lane one, other;
    for (int at = 0; at < columns; at += LANE) {
        for (int row = 0; row < GRID; row++) {
            memcpy(one.real[row], real[row] + at, sizeof one.real[row]);
            memcpy(one.imaginary[row], imaginary[row] + at, sizeof one.real[row]);
        }
        step_of_waves(&one, &other, 1);
        step_of_waves(&other, &one, 4);
        step_of_waves(&one, &other, 16);
        for (int row = 0; row < GRID; row++) {
            memcpy(real[row] + at, other.real[row], sizeof one.real[row]);
            memcpy(imaginary[row] + at, other.imaginary[row], sizeof one.real[row]);
        }
    }
}

static void transpose(Plane map) {
    for (int row = 0; row < GRID; row++)
        for (int at = 0; at < row; at++) {
            double value = map[row][at];
            map[row][at] = map[at][row];
            map[at][row] = value;
        }
}

typedef struct {
    Plane real, imaginary, back, back_imaginary;
    int32_t own[GRID][GRID];              /* twice the correlation less its mean, by shift */
    uint16_t ranks[CELLS];                /* of edges */
    uint16_t around[AROUND * AROUND + 4]; /* and with those beyond the rims */
    uint8_t border[CELLS], number[CELLS], tint[CELLS / 4];
    uint16_t counts[256][CLASSES]; /* by class and color, or place */
} Room;

/* own: twice the sum of centered ranks under the border, for every shift of it. Ranks and border
   are the two parts of one map; where theirs are P and Q, half of what P times the conjugate of Q
   would give goes back, of which two columns are the parts of one again. */
static void correlate(Room *room) {
    for (int row = 0; row < GRID; row++)
        for (int at = 0; at < GRID; at++) {
            room->real[row][at] = 2 * room->ranks[row * GRID + at] - (CELLS - 1);
            room->imaginary[row][at] = room->border[row * GRID + at];
        }
    transform(room->real, room->imaginary, GRID);
    transpose(room->real);
    transpose(room->imaginary);
    transform(room->real, room->imaginary, GRID);
    for (int row = 0; row < GRID; row++)
        for (int at = 0; at <= GRID / 2; at++) {
            int mirrored = -row & (GRID - 1), beyond = -at & (GRID - 1);
            double a = room->real[row][at], b = room->imaginary[row][at];
            double c = room->real[mirrored][beyond], d = room->imaginary[mirrored][beyond];
            room->back[row][at] = (a * d + b * c) / 2;
            room->back_imaginary[row][at] = (a * a + b * b - c * c - d * d) / 4;
        }
    for (int row = 0; row < GRID; row++)
        for (int at = GRID / 2 + 1; at < GRID / 2 + LANE; at++)
            room->back[row][at] = room->back_imaginary[row][at] = 0;
    transform(room->back_imaginary, room->back, GRID / 2 + LANE);
    for (int row = 0; row < GRID; row++) /* back[x][ky], to be real[ky][x] with x + 32 beside it */
        for (int at = 0; at < GRID / 2; at++) {
            int wave = row > GRID / 2 ? GRID - row : row, sign = row > GRID / 2 ? -1 : 1;
            int other = at + GRID / 2;
            room->real[row][at] =
                room->back[at][wave] - sign * room->back_imaginary[other][wave];
            room->imaginary[row][at] =
                sign * room->back_imaginary[at][wave] + room->back[other][wave];
        }
    transform(room->imaginary, room->real, GRID / 2);
    for (int row = 0; row < GRID; row++)
        for (int at = 0; at < GRID / 2; at++) {
            double left = room->real[row][at] / CELLS, right = room->imaginary[row][at] / CELLS;
            room->own[row][at] = (int32_t)(left + FARTHEST + 0.5) - FARTHEST;
            room->own[row][at + GRID / 2] = (int32_t)(right + FARTHEST + 0.5) - FARTHEST;
        }
}

/* The ranks of the strength of the edges of colors, in 2**16 levels, equal ones in their order; 0
   without any. */
static int rank_edges(const uint8_t *colors, uint16_t *ranks) {
    int32_t sums[CELLS], strength[CELLS], top = 0;
    uint32_t levels[CELLS], ordered[CELLS]; /* the level of a cell, and below it its number */
    uint16_t low[256] = {0}, high[256] = {0};
    for (int at = 0; at < CELLS; at++)
        sums[at] = colors[3 * at] + colors[3 * at + 1] + colors[3 * at + 2];
    for (int row = 0; row < GRID; row++) {
        const int32_t *own = sums + row * GRID;
        const int32_t *above = own - (row ? GRID : 0), *below = own + (row < GRID - 1 ? GRID : 0);
        int32_t across[GRID], rim = row == 0 || row == GRID - 1 ? 2 : 1;
        across[0] = 2 * (own[1] - own[0]);
        across[GRID - 1] = 2 * (own[GRID - 1] - own[GRID - 2]);
        for (int at = 1; at < GRID - 1; at++)
            across[at] = own[at + 1] - own[at - 1];
        for (int at = 0; at < GRID; at++) {
            int32_t down = rim * (below[at] - above[at]);
            strength[row * GRID + at] = down * down + across[at] * across[at];
        }
    }
    for (int at = 0; at < CELLS; at++)
        top = strength[at] > top ? strength[at] : top;
    if (!top)
        return 0;
    double scale = 65535 / sqrt(top);
    for (int at = 0; at < CELLS; at++)
        strength[at] = (int32_t)(sqrt((double)strength[at]) * scale);
    for (int at = 0; at < CELLS; at++)
        levels[at] = (uint32_t)strength[at] << 16 | (uint32_t)at;
    for (int at = 0; at < CELLS; at++) { /* sorted by their digits */
        low[levels[at] >> 16 & 255]++;
        high[levels[at] >> 24]++;
    }
    for (int digit = 0, before[2] = {0, 0}; digit < 256; digit++) {
        int numbers[2] = {low[digit], high[digit]};
        low[digit] = (uint16_t)before[0], high[digit] = (uint16_t)before[1];
        before[0] += numbers[0], before[1] += numbers[1];
    }
    for (int at = 0; at < CELLS; at++)
        ordered[low[levels[at] >> 16 & 255]++] = levels[at];
    for (int at = 0; at < CELLS; at++)
        ranks[ordered[at] & 65535] = high[ordered[at] >> 24]++;
    return 1;
}

/* Light both of two neighbors of unlike classes that count; how many cells are lit. */
static int find_borders(const uint8_t *small, uint8_t *border) {
    int number = 0;
    memset(border, 0, CELLS);
    for (int row = 0; row < GRID; row++)
        for (int step = 1; step <= GRID; step += GRID - 1) { /* to the right, and down */
            const uint8_t *own = small + row * GRID, *next = own + step;
            uint8_t *lit = border + row * GRID, unlike[GRID];
            int cells = step == 1 ? GRID - 1 : row < GRID - 1 ? GRID : 0;
            for (int at = 0; at < cells; at++)
                unlike[at] = (own[at] != next[at]) & (own[at] != LEFT_OUT) & (next[at] != LEFT_OUT);
            for (int at = 0; at < cells; at++)
                lit[at] |= unlike[at];
            for (int at = 0; at < cells; at++)
                lit[at + step] |= unlike[at];
        }
    for (int cell = 0; cell < CELLS; cell++)
        number += border[cell];
    return number;
}

/* For each turn but the first: the largest sum of ranks under the turned border, as it lies or
   moved by a cell. */
static void sum_turned(Room *room, int64_t *largest) {
    uint16_t *around = room->around, lit[CELLS];
    int number = 0;
    for (int row = 0; row < AROUND; row++)
        for (int at = 0; at < AROUND; at++)
            around[row * AROUND + at] = room->ranks[((row - 1) & (GRID - 1)) * GRID +
                                                    ((at - 1) & (GRID - 1))];
    memset(around + AROUND * AROUND, 0, sizeof room->around - AROUND * AROUND * sizeof *around);
    for (int cell = 0; cell < CELLS; cell++) {
        lit[number] = (uint16_t)cell;
        number += room->border[cell];
    }
    for (int turn = 1; turn < TURNS; turn++) {
        int32_t sums[3][4] = {{0}}; /* the fourth column is not looked at */
        /* a turn takes rows to rows or to columns, from either end: where the first cell goes, and
           how far the next below and beside it are */
        int below = turns[turn].below, flip = below == 1 || below == -1;
        int down = below > 0 ? 1 : -1, right = turns[turn].beside > 0 ? 1 : -1;
        int first = (down > 0 ? 0 : (GRID - 1) * AROUND) + (right > 0 ? 0 : GRID - 1);
        int vertical = down * AROUND, horizontal = right;
        for (int n = 0; n < number; n++) {
            int row = lit[n] / GRID, at = lit[n] % GRID;
            const uint16_t *near = around + first + (flip ? at : row) * vertical +
                                   (flip ? row : at) * horizontal;
            for (int side = 0; side < 3; side++)
                for (int column = 0; column < 4; column++)
                    sums[side][column] += near[side * AROUND + column];
        }
        largest[turn - 1] = 0;
        for (int side = 0; side < 9; side++)
            if (sums[side / 3][side % 3] > largest[turn - 1])
                largest[turn - 1] = sums[side / 3][side % 3];
    }
}

/* Which of about equally large parts of values (n,), below limit, each is in. */
static void rank_values(const int *values, int n, int limit, int parts, uint8_t *out) {
    int below[768] = {0}, total = 0;
    for (int at = 0; at < n; at++)
        below[values[at]]++;
    for (int value = 0; value < limit; value++) {
        total += below[value];
        int number = total ? (total - 1) * parts / n : 0;
        below[value] = number < parts - 1 ? number : parts - 1;
    }
    for (int at = 0; at < n; at++)
        out[at] = (uint8_t)below[values[at]];
}

/* The kind of color of every second cell, down and right. */
static void find_tints(const uint8_t *colors, uint8_t *tint) {
    int bright[CELLS / 4], red[CELLS / 4], number = 0;
    uint8_t other[CELLS / 4];
    for (int row = 1; row < GRID; row += 2)
        for (int at = 1; at < GRID; at += 2, number++) {
            const uint8_t *color = colors + 3 * (row * GRID + at);
            bright[number] = color[0] + color[1] + color[2];
            red[number] = color[0] - color[2] + 255;
        }
    rank_values(bright, number, 766, 8, tint);
    rank_values(red, number, 511, 3, other);
    for (int at = 0; at < number; at++)
        tint[at] = (uint8_t)(3 * tint[at] + other[at]);
}

/* How often the classes of the cells, turned or moved, meet the kinds of color. */
static void count_met(const Room *room, int move, int classes, int32_t *counts) {
    int32_t odd[TINTS * CLASSES];
    size cells = TINTS * classes;
    memset(counts, 0, sizeof *counts * (size_t)cells);
    memset(odd, 0, sizeof *odd * (size_t)cells);
    int shift = move - TURNS, place = shift % 8 + (shift % 8 > 3), far = shift < 8 ? 3 : 6;
    int down = far * (place / 3 - 1), right = far * (place % 3 - 1);
    const uint8_t *tint = room->tint;
    for (int row = 1; row < GRID; row += 2)
        for (int at = 1; at < GRID; at += 4, tint += 2) { /* two tables: neighbors are alike */
            int cell, next;
            if (move < TURNS) {
                cell = turns[move].start + row * turns[move].below + at * turns[move].beside;
                next = cell + 2 * turns[move].beside;
            } else {
                int above = ((row - down) & (GRID - 1)) * GRID;
                cell = above + ((at - right) & (GRID - 1));
                next = above + ((at + 2 - right) & (GRID - 1));
            }
            counts[tint[0] * classes + room->number[cell]]++;
            odd[tint[1] * classes + room->number[next]]++;
        }
    for (size at = 0; at < cells; at++)
        counts[at] += odd[at];
}

/* What colors tell of the classes, in parts of nats: logs[n] are those of n log n. */
static void tell(Room *room, const uint8_t *small, const int64_t *logs, int64_t *told) {
    uint8_t present[256] = {0}, number[256];
    int classes = 0, counted;
    memset(told, 0, MOVES * sizeof *told);
    for (int cell = 0; cell < CELLS; cell++)
        present[small[cell]] = 1;
    for (int value = 0; value < 256; value++)
        if (present[value])
            number[value] = (uint8_t)classes++;
    if (classes < 2 || classes > CLASSES)
        return;
    counted = classes - present[LEFT_OUT];
    for (int cell = 0; cell < CELLS; cell++)
        room->number[cell] = number[small[cell]];
    for (int move = 0; move < MOVES; move++) {
        int32_t counts[TINTS * CLASSES], by_class[CLASSES] = {0}, cells = 0;
        count_met(room, move, classes, counts);
        for (int tint = 0; tint < TINTS; tint++) {
            int32_t by_tint = 0;
            for (int class = 0; class < counted; class++) {
                int32_t count = counts[tint * classes + class];
                told[move] += logs[count];
                by_tint += count;
                by_class[class] += count;
            }
            told[move] -= logs[by_tint];
            cells += by_tint;
        }
        for (int class = 0; class < counted; class++)
            told[move] -= logs[by_class[class]];
        told[move] += logs[cells];
    }
}

/* Takes the counts out: keys, 64 * class + number, as int32, and then the counts, as int16. */
static PyObject *packed(Room *room, const uint8_t *present) {
    int32_t keys[256 * CLASSES];
    uint16_t counts[256 * CLASSES];
    size number = 0;
    for (int value = 0; value < LEFT_OUT; value++)
        for (int at = 0; present[value] && at < CLASSES; at++) {
            keys[number] = value * CLASSES + at;
            counts[number] = room->counts[value][at];
            number += counts[number] > 0;
        }
    memset(room->counts, 0, sizeof room->counts);
    PyObject *result = PyBytes_FromStringAndSize(NULL, 6 * number);
    char *bytes = result ? PyBytes_AsString(result) : NULL;
    if (bytes) {
        memcpy(bytes, keys, 4 * (size_t)number);
        memcpy(bytes + 4 * number, counts, 2 * (size_t)number);
    }
    return result;
}

/* Counts by class and eighth of the cells by light; the middle tells of those equally light. */
static void count_light(Room *room, const uint8_t *colors, const uint8_t *small) {
    int eighth[766] = {0}, below = 0;
    for (int cell = 0; cell < CELLS; cell++)
        eighth[colors[3 * cell] + colors[3 * cell + 1] + colors[3 * cell + 2]]++;
    for (int light = 0; light < 766; light++) {
        below += eighth[light];
        eighth[light] = (2 * below - eighth[light]) * 8 / (2 * CELLS);
    }
    for (int cell = 0; cell < CELLS; cell++, colors += 3)
        room->counts[small[cell]][eighth[colors[0] + colors[1] + colors[2]]]++;
}

/* Cells by class and color, by class and light, and by class and place. */
static PyObject *prototypes(Room *room, const uint8_t *colors, const uint8_t *small) {
    uint8_t present[256] = {0};
    memset(room->counts, 0, sizeof room->counts);
    for (const uint8_t *at = small, *c = colors; at < small + CELLS; at++, c += 3) {
        present[*at] = 1;
        room->counts[*at][c[0] / 64 * 16 + c[1] / 64 * 4 + c[2] / 64]++;
    }
    PyObject *hue = packed(room, present);
    count_light(room, colors, small);
    PyObject *light = packed(room, present);
    for (int cell = 0; cell < CELLS; cell += WORD) {
        int number = cell / GRID / 8 * 8 + cell % GRID / 8;
        if (word(small + cell) == spread(small[cell]))
            room->counts[small[cell]][number] += WORD;
        else
            for (int at = cell; at < cell + WORD; at++)
                room->counts[small[at]][number]++;
    }
    return Py_BuildValue("(NNN)", hue, light, packed(room, present));
}

/* (border cells, prototypes, and of those with enough borders: the numbers of the fit). */
static PyObject *fitted(Room *room, const uint8_t *colors, const uint8_t *small,
                        const int64_t *logs, int least) {
    int64_t values[3 + TURNS - 1 + MOVES] = {INT64_MIN, 0, INT64_MIN}; /* near, squares, moved */
    int where = 0, count = find_borders(small, room->border);
    int enough = count >= least && rank_edges(colors, room->ranks);
    PyObject *cells = prototypes(room, colors, small);
    if (!enough || !cells)
        return cells ? Py_BuildValue("(iNiy#)", 0, cells, 0, "", (size)0) : NULL;
    correlate(room);
    sum_turned(room, values + 3);
    find_tints(colors, room->tint);
    tell(room, small, logs, values + 3 + TURNS - 1);
    for (int down = -FAR; down <= FAR; down++)
        for (int right = -FAR; right <= FAR; right++) {
            int64_t value = room->own[down & (GRID - 1)][right & (GRID - 1)];
            if (value > values[2]) {
                values[2] = value;
                where = (down + FAR) * (2 * FAR + 1) + right + FAR;
            }
            if (down * down < 2 && right * right < 2 && value > values[0])
                values[0] = value;
        }
    for (int cell = 0; cell < CELLS; cell++) {
        int64_t value = room->own[cell / GRID][cell % GRID];
        values[1] += value * value;
    }
    return Py_BuildValue("(iNiy#)", count, cells, where, (char *)values, (size)sizeof values);
}

PyObject *fit(PyObject *self, PyObject *args) {
    Py_buffer colors, small, logs;
    int least;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*i:fit", &colors, &small, &logs, &least))
        return NULL;
    Room *room = malloc(sizeof *room);
    if (!room)
        PyErr_NoMemory();
    else if (colors.len != 3 * CELLS || small.len != CELLS || logs.len != 8 * (CELLS + 1))
        PyErr_SetString(PyExc_ValueError, "a picture and a mask of 64 x 64 are needed");
    else
        result = fitted(room, colors.buf, small.buf, logs.buf, least);
    free(room);
    PyBuffer_Release(&colors);
    PyBuffer_Release(&small);
    PyBuffer_Release(&logs);
    return result;
}

PyObject *in_short(PyObject *self, PyObject *args) {
    Py_buffer colors;
    if (!PyArg_ParseTuple(args, "y*:in_short", &colors))
        return NULL;
    if (colors.len != 3 * CELLS) {
        PyErr_SetString(PyExc_ValueError, "a picture of 64 x 64 is needed");
        PyBuffer_Release(&colors);
        return NULL;
    }
    int64_t sums[3] = {0}, total = 0, squares = 0;
    uint8_t levels[CELLS], thumbnail[CELLS / 4], present[256] = {0};
    int gray = 1, number = 0;
    const uint8_t *color = colors.buf;
    for (int cell = 0; cell < CELLS; cell++, color += 3) {
        int red = color[0], green = color[1], blue = color[2];
        int64_t light = 299 * red + 587 * green + 114 * blue;
        sums[0] += red, sums[1] += green, sums[2] += blue;
        total += light, squares += light * light;
        gray &= (unsigned)(red - green + 1) < 3 && (unsigned)(green - blue + 1) < 3;
        levels[cell] = (uint8_t)(light / 1000);
        present[levels[cell]] = 1;
    }
    for (int value = 0; value < 256; value++)
        number += present[value];
    for (int cell = 0; cell < CELLS / 4; cell++) { /* means, right and then down, as Pillow's */
        const uint8_t *at = levels + cell / (GRID / 2) * 2 * GRID + cell % (GRID / 2) * 2;
        int above = (at[0] + at[1] + 1) / 2, below = (at[GRID] + at[GRID + 1] + 1) / 2;
        thumbnail[cell] = (uint8_t)((above + below + 1) / 2);
    }
    PyBuffer_Release(&colors);
    return Py_BuildValue("(LLLLLNiy#)", (long long)sums[0], (long long)sums[1], (long long)sums[2],
                         (long long)total, (long long)squares, PyBool_FromLong(gray), number,
                         (char *)thumbnail, (size)sizeof thumbnail);
}
