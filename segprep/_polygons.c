/* The kernel's polygons: the same pixels as Pillow's, which looks at every edge in every row.

   Corners are whole numbers (x, y). A row is filled between the first and the second place where
   edges meet it, the third and the fourth, and so on; horizontal edges are drawn by themselves.
   The polygons of an image are painted together, row by row, so that what each covers is known. */

#include "_deflate.h"
#include "_kernel.h"

#define FARTHEST (1 << 24) /* of a corner: sums and products of them fit an int */
#define FEW 32             /* meetings or ends of a row that are sorted by insertion */
#define SPANS (1 << 20)    /* of all polygons of an image, more of which are not layered */
#define DEEP 255           /* spans over one pixel that are told apart */

typedef struct {
    int x, y, low, high; /* where it begins; the rows that it reaches */
    float slope;         /* columns per row */
} Edge;

typedef struct {
    int row, left, right, number; /* right exclusive; the number of its polygon */
} Span;

typedef struct {
    Span *spans;
    size n, room;
    int full; /* there was no room for all */
} List;

typedef struct {
    uint8_t *pixels; /* (height, width) */
    size height, width;
    int value;
    List *list; /* NULL, or what keeps spans of that value, which are not drawn then */
} Canvas;

static void keep(List *list, Span span) {
    if (list->n == list->room) {
        size room = 2 * list->room + 1024;
        Span *spans = room > SPANS ? NULL : realloc(list->spans, (size_t)room * sizeof *spans);
        list->full |= !spans;
        if (!spans)
            return;
        list->spans = spans, list->room = room;
    }
    list->spans[list->n++] = span;
}

static void span(const Canvas *canvas, size row, size left, size right) {
    left = most(left, 0);
    right = least(right + 1, canvas->width);
    if (row < 0 || row >= canvas->height || left >= right)
        return;
    if (canvas->list)
        keep(canvas->list, (Span){(int)row, (int)left, (int)right, canvas->value});
    else
        memset(canvas->pixels + row * canvas->width + left, canvas->value, (size_t)(right - left));
}

static float meeting(const Edge *edge, int row) {
    return (float)(row - edge->y) * edge->slope + (float)edge->x;
}

/* The nearest whole number, halves away from zero. */
static int rounded(float x) {
    int whole = (int)x;
    float rest = x - (float)whole;
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

/* Where the edge of that number meets the row in which it begins or ends. If an earlier one meets
   it there, and both lead to the same side by more than a pixel, it is cut off before them. */
static float corner(const Edge *edges, size number, int row) {
    const Edge *edge = edges + number;
    int beside = row == edge->high ? row - 1 : row + 1;
    float x = meeting(edge, row), own = meeting(edge, beside);
    for (const Edge *other = edges; edge->slope != 0 && other < edge; other++) {
        if ((row != other->low && row != other->high) || other->slope == 0 ||
            beside < other->low || beside > other->high ||
            rounded(meeting(other, row)) != rounded(x))
            continue;
        float its = meeting(other, beside);
        if (x > own + 1 && x > its + 1)
            return (float)(rounded(own > its ? own : its) + 1);
        if (x < own - 1 && x < its - 1)
            return (float)(rounded(own < its ? own : its) - 1);
        break;
    }
    return x;
}

/* Edges between the corners (n, 2) and from the last to the first; horizontal ones are drawn. */
static size edges_of(const int *corners, size n, const Canvas *canvas, Edge *edges) {
    size number = 0;
    for (size at = 0; at < n; at++) {
        const int *from = corners + 2 * at, *to = at + 1 < n ? from + 2 : corners;
        if (at + 1 == n && from[0] == to[0] && from[1] == to[1])
            break;
        int down = from[1] < to[1], right = from[0] < to[0];
        if (from[1] == to[1]) {
            span(canvas, from[1], right ? from[0] : to[0], right ? to[0] : from[0]);
            continue;
        }
        Edge *edge = edges + number++;
        edge->x = from[0], edge->y = from[1];
        edge->low = down ? from[1] : to[1], edge->high = down ? to[1] : from[1];
        edge->slope = (float)(to[0] - from[0]) / (float)(to[1] - from[1]);
    }
    return number;
}

static int by_value(const void *first, const void *second) {
    float a = *(const float *)first, b = *(const float *)second;
    return (a > b) - (a < b);
}

static void sort(float *values, size n) {
    if (n > FEW) {
        qsort(values, (size_t)n, sizeof *values, by_value);
        return;
    }
    for (size at = 1; at < n; at++) {
        float value = values[at];
        size to = at;
        for (; to > 0 && values[to - 1] > value; to--)
            values[to] = values[to - 1];
        values[to] = value;
    }
}

/* The first pixel whose center is not left of x, and the last that is not right of it; of halves,
   both take the one that is farther inside. */
static size first_from(float x) { return x >= 0 ? (size)(x + 0.5f) : -1; }

static size last_to(float x) {
    if (x < 0)
        return x >= -0.5f ? 0 : -1;
    float half = x - 0.5f;
    size whole = (size)half;
    return whole + ((float)whole < half);
}

/* Sorts where edges meet the rows from top to end into those rows: row r holds what values has from
   begins[r - top] to ends[r - top]. */
static void meetings(const Edge *edges, size number, int top, int end, int last, float *values,
                     size *ends) {
    for (size at = 0; at < number; at++) {
        const Edge *edge = edges + at;
        for (int row = edge->low < top ? top : edge->low; row <= edge->high && row < end; row++) {
            int twice = row == edge->high && row < last; /* so that it fits the edge that goes on */
            int cut = !twice && (row == edge->high || row == edge->low);
            float x = cut ? corner(edges, at, row) : meeting(edge, row);
            values[ends[row - top]++] = x;
            if (twice)
                values[ends[row - top]++] = x;
        }
    }
}

/* Fills the rows that edges meet; returns whether there was memory. */
static int fill(const Edge *edges, size number, const Canvas *canvas) {
    int top = FARTHEST, last = 0;
    for (size at = 0; at < number; at++) {
        top = edges[at].low < top ? edges[at].low : top;
        last = edges[at].high > last ? edges[at].high : last;
    }
    top = top < 0 ? 0 : top;
    int end = (int)least(last + 1, canvas->height), rows = end > top ? end - top : 0;
    size *begins = calloc((size_t)rows + 1, sizeof *begins);
    size *ends = malloc(((size_t)rows + 1) * sizeof *ends);
    for (size at = 0; begins && at < number; at++) {
        const Edge *edge = edges + at;
        for (int row = edge->low < top ? top : edge->low; row <= edge->high && row < end; row++)
            begins[row - top + 1] += 1 + (row == edge->high);
    }
    for (int row = 0; begins && ends && row < rows; row++)
        begins[row + 1] += ends[row] = begins[row];
    float *values = begins && ends ? malloc(((size_t)begins[rows] + 1) * sizeof *values) : NULL;
    if (values)
        meetings(edges, number, top, end, last, values, ends);
    for (int row = 0; values && row < rows; row++) {
        sort(values + begins[row], ends[row] - begins[row]);
        for (size at = begins[row] + 1; at < ends[row]; at += 2)
            span(canvas, top + row, first_from(values[at - 1]), last_to(values[at]));
    }
    int enough = values != NULL;
    free(begins);
    free(ends);
    free(values);
    return enough;
}

/* Corners (n, 2) of a tuple of 2 n numbers x0, y0, x1, y1, ..., cut to whole ones. Returns the area
   of the box around them, as much of it as lies on canvas; -1 with nothing written where one is
   farther than limit from the origin; -2 with an exception where one is no number. */
static double corners_of(PyObject *points, const Canvas *canvas, double limit, int *corners) {
    double low[2] = {limit, limit}, high[2] = {-limit, -limit};
    double sides[2] = {(double)canvas->width, (double)canvas->height}, area = 1;
    size length = PyTuple_Size(points);
    for (size at = 0; at < length; at++) {
        double value = PyFloat_AsDouble(PyTuple_GetItem(points, at));
        if (value == -1 && PyErr_Occurred())
            return -2;
        if (!(value >= -limit && value <= limit))
            return -1;
        corners[at] = (int)value;
        low[at & 1] = value < low[at & 1] ? value : low[at & 1];
        high[at & 1] = value > high[at & 1] ? value : high[at & 1];
    }
    for (int axis = 0; axis < 2; axis++) {
        double first = low[axis] > 0 ? low[axis] : 0;
        double last = high[axis] < sides[axis] ? high[axis] : sides[axis];
        area *= last > first ? last - first : 0;
    }
    return area;
}

/* Fills a polygon on canvas. Returns what corners_of does. */
static double draw(const Canvas *canvas, double limit, PyObject *points) {
    size length = PyTuple_Size(points);
    if (!(limit <= FARTHEST) || length < 2 || length & 1) {
        PyErr_SetString(PyExc_ValueError, "pairs of numbers are needed, up to a limit of 2**24");
        return -2;
    }
    int *corners = malloc((size_t)length * sizeof *corners);
    Edge *edges = malloc((size_t)length / 2 * sizeof *edges);
    double area = corners && edges ? corners_of(points, canvas, limit, corners) : -3;
    if (area >= 0 && !fill(edges, edges_of(corners, length / 2, canvas, edges), canvas))
        area = -3;
    free(edges);
    free(corners);
    if (area == -3)
        PyErr_NoMemory();
    return area;
}

static int fits(const Py_buffer *pixels, size width, int value) {
    int right = width > 0 && width <= FARTHEST && !(pixels->len % width) &&
                pixels->len / width <= FARTHEST && value >= 0 && value < 256;
    if (!right)
        PyErr_SetString(PyExc_ValueError, "rows of width bytes and a value of a byte are needed");
    return right;
}

PyObject *polygon(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    PyObject *points;
    size width;
    int value;
    double limit, area = -2;
    if (!PyArg_ParseTuple(args, "w*ndO!i:polygon", &pixels, &width, &limit, &PyTuple_Type, &points,
                          &value))
        return NULL;
    if (fits(&pixels, width, value)) {
        Canvas canvas = {pixels.buf, pixels.len / width, width, value, NULL};
        area = draw(&canvas, limit, points);
    }
    PyBuffer_Release(&pixels);
    if (area == -1)
        Py_RETURN_NONE;
    return area < 0 ? NULL : PyFloat_FromDouble(area);
}

/* The polygons of an image, one over the other. */
typedef struct {
    const uint8_t *values, *inks; /* of the background and of each polygon */
    Deflate *deflate;             /* NULL, or what makes a stream of the rows */
    int64_t *shown;               /* pixels of the background and of each polygon, where on top */
    int64_t over[256][256];       /* value, value on top of it: pixels */
    uint8_t used[256];            /* rows of these that were set to 0 and hold counts */
    size parts, counted[256];     /* parts of rows so far; the last one that counted a value */
} Layers;

static int is_hole(const Layers *layers, uint8_t value) {
    return value == 255 || value == layers->values[0];
}

/* Draws the topmost of the n polygons that lie over a part of a row, and counts what it covers,
   down to a hole. */
static void show(Layers *layers, uint8_t *part, size length, const int *active, size n) {
    int top = n ? active[n - 1] : 0;
    uint8_t value = layers->values[top];
    layers->shown[top] += length;
    memset(part, layers->inks[top], (size_t)length);
    layers->parts++;
    for (size at = n - 1; at-- > 0 && !is_hole(layers, value);) {
        uint8_t under = layers->values[active[at]];
        if (is_hole(layers, under))
            break;
        if (under == value || layers->counted[under] == layers->parts)
            continue;
        layers->counted[under] = layers->parts;
        if (!layers->used[under])
            memset(layers->over[under], 0, sizeof layers->over[under]);
        layers->used[under] = 1;
        layers->over[under][value] += length;
    }
}

static int by_place(const void *first, const void *second) {
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
    return (a > b) - (a < b);
}

static void sort_places(uint64_t *places, size n) {
    if (n > FEW) {
        qsort(places, (size_t)n, sizeof *places, by_place);
        return;
    }
    for (size at = 1; at < n; at++) {
        uint64_t place = places[at];
        size to = at;
        for (; to > 0 && places[to - 1] > place; to--)
            places[to] = places[to - 1];
        places[to] = place;
    }
}

/* The n spans of one row, in painting order, to row (width,); returns whether they are not too
   deep. There is room for both ends of each. */
static int show_row(Layers *layers, const Span *spans, size n, uint8_t *row, size width,
                    uint64_t *ends) {
    int active[DEEP];
    size from = 0, deep = 0;
    for (size at = 0; at < n; at++) {
        ends[2 * at] = (uint64_t)spans[at].left << 32 | (uint64_t)(spans[at].number << 1 | 1);
        ends[2 * at + 1] = (uint64_t)spans[at].right << 32 | (uint64_t)(spans[at].number << 1);
    }
    sort_places(ends, 2 * n);
    for (size at = 0; at < 2 * n; at++) {
        size to = (size)(ends[at] >> 32), place = deep;
        int number = (int)(ends[at] & UINT32_MAX) >> 1;
        if (to > from)
            show(layers, row + from, to - from, active, deep);
        from = to;
        while (place > 0 && active[place - 1] > number)
            place--;
        if (ends[at] & 1) {
            if (deep == DEEP)
                return 0;
            memmove(active + place + 1, active + place, (size_t)(deep++ - place) * sizeof *active);
            active[place] = number;
        } else {
            memmove(active + place - 1, active + place, (size_t)(deep-- - place) * sizeof *active);
        }
    }
    show(layers, row + from, width - from, active, 0);
    return 1;
}

/* All rows of canvas, whose spans are in painting order; 0 where some lie too deep, -1 without
   memory. */
static int show_rows(Layers *layers, const Canvas *canvas) {
    const List *list = canvas->list;
    size height = canvas->height;
    size *starts = calloc((size_t)height + 2, sizeof *starts);
    Span *sorted = malloc((size_t)most(list->n, 1) * sizeof *sorted);
    uint64_t *ends = malloc((size_t)most(list->n, 1) * 2 * sizeof *ends);
    int result = starts && sorted && ends ? 1 : -1;
    for (size at = 0; result > 0 && at < list->n; at++)
        starts[list->spans[at].row + 2]++;
    for (size row = 0; result > 0 && row < height; row++)
        starts[row + 2] += starts[row + 1];
    for (size at = 0; result > 0 && at < list->n; at++)
        sorted[starts[list->spans[at].row + 1]++] = list->spans[at];
    for (size row = 0; result > 0 && row < height; row++) {
        uint8_t *pixels = canvas->pixels + row * canvas->width;
        result = show_row(layers, sorted + starts[row], starts[row + 1] - starts[row], pixels,
                          canvas->width, ends);
        if (layers->deflate)
            put_row(layers->deflate, pixels);
    }
    free(starts);
    free(sorted);
    free(ends);
    return result;
}

/* ({number: pixels on top}, {value: {value on top: pixels}}, stream) */
static PyObject *counts_of(const Layers *layers, size n, PyObject *stream) {
    PyObject *shown = as_dict(layers->shown, n), *over = PyDict_New();
    for (int value = 0; over && value < 256; value++) {
        if (!layers->used[value])
            continue;
        PyObject *key = PyLong_FromLong(value), *counts = as_dict(layers->over[value], 256);
        if (!key || !counts || PyDict_SetItem(over, key, counts) < 0)
            Py_CLEAR(over);
        Py_XDECREF(key);
        Py_XDECREF(counts);
    }
    if (shown && over && stream)
        return Py_BuildValue("(NNN)", shown, over, stream);
    Py_XDECREF(shown);
    Py_XDECREF(over);
    Py_XDECREF(stream);
    return NULL;
}

/* Paints the polygons; what counts_of gives, or None. */
static PyObject *painted(Canvas *canvas, double limit, double most_area, PyObject *polygons,
                         Layers *layers) {
    size n = PyTuple_Size(polygons);
    double area = 0, sum = 0;
    for (size at = 0; at < n && area >= 0 && sum <= most_area; at++) {
        canvas->value = (int)at + 1;
        area = draw(canvas, limit, PyTuple_GetItem(polygons, at));
        sum += area;
    }
    if (area < -1)
        return NULL;
    if (area < 0 || sum > most_area || canvas->list->full)
        Py_RETURN_NONE;
    memset(layers->used, 0, sizeof layers->used);
    memset(layers->counted, 0, sizeof layers->counted);
    layers->parts = 0;
    layers->shown = calloc((size_t)n + 1, sizeof *layers->shown);
    int enough = layers->shown ? show_rows(layers, canvas) : -1;
    const uint8_t *behind = canvas->pixels + canvas->height * canvas->width;
    PyObject *result = NULL;
    if (enough > 0) {
        result = layers->deflate ? stream_of(layers->deflate, behind) : Py_NewRef(Py_None);
        result = counts_of(layers, n + 1, result);
    }
    free(layers->shown);
    return enough > 0 ? result : enough ? PyErr_NoMemory() : Py_NewRef(Py_None);
}

PyObject *paint(PyObject *self, PyObject *args) {
    Py_buffer pixels, values, inks;
    PyObject *polygons, *code, *result = NULL;
    size width;
    double limit, most_area;
    if (!PyArg_ParseTuple(args, "w*nddO!y*y*O:paint", &pixels, &width, &limit, &most_area,
                          &PyTuple_Type, &polygons, &values, &inks, &code))
        return NULL;
    size n = PyTuple_Size(polygons);
    int right = n < SPANS && values.len == n + 1 && inks.len == n + 1;
    for (size at = 0; right && at < n; at++)
        right = PyTuple_Check(PyTuple_GetItem(polygons, at));
    if (!right)
        PyErr_SetString(PyExc_ValueError, "a value and an ink are needed for each tuple");
    else if (fits(&pixels, width, 0)) {
        List list = {NULL, 0, 0, 0};
        Deflate out;
        Canvas canvas = {pixels.buf, pixels.len / width, width, 0, &list};
        Layers *layers = malloc(sizeof *layers);
        int coded = code != Py_None;
        if (!layers) {
            PyErr_NoMemory();
        } else if (!coded || open_deflate(&out, code, canvas.height, width)) {
            layers->values = values.buf, layers->inks = inks.buf;
            layers->deflate = coded ? &out : NULL;
            result = painted(&canvas, limit, most_area, polygons, layers);
            if (coded)
                close_deflate(&out);
        }
        free(layers);
        free(list.spans);
    }
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&values);
    PyBuffer_Release(&inks);
    return result;
}

/* x0, y0, x1, y1, ... of a list of lists of two floats or whole numbers, none farther than farthest
   from 0; None for anything else. */
PyObject *flat(PyObject *self, PyObject *args) {
    PyObject *pairs;
    double farthest;
    if (!PyArg_ParseTuple(args, "Od:flat", &pairs, &farthest))
        return NULL;
    size n = PyList_CheckExact(pairs) ? PyList_Size(pairs) : -1;
    PyObject *result = n < 0 ? NULL : PyTuple_New(2 * n);
    if (n >= 0 && !result)
        return NULL;
    for (size at = 0; result && at < 2 * n; at++) {
        PyObject *pair = PyList_GetItem(pairs, at / 2);
        int right = PyList_CheckExact(pair) && PyList_Size(pair) == 2;
        PyObject *value = right ? PyList_GetItem(pair, at & 1) : NULL;
        right = right && (PyFloat_CheckExact(value) || PyLong_CheckExact(value));
        double number = right ? PyFloat_AsDouble(value) : 0;
        if (PyErr_Occurred())
            PyErr_Clear(); /* a whole number beyond all floats */
        else if (right && number >= -farthest && number <= farthest) {
            PyTuple_SetItem(result, at, Py_NewRef(value));
            continue;
        }
        Py_CLEAR(result);
    }
    if (!result)
        Py_RETURN_NONE;
    return result;
}
