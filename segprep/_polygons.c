/* The kernel's polygons: the same pixels as Pillow's, which looks at every edge in every row.

   Corners are whole numbers (x, y). A row is filled between the first and the second place where
   edges meet it, the third and the fourth, and so on; horizontal edges are drawn by themselves. */

#include "_kernel.h"

#define FARTHEST (1 << 24) /* of a corner: sums and products of them fit an int */
#define FEW 24             /* meetings of a row that are sorted by insertion */
#define MANY 1000          /* polygons whose boxes are not compared any more */
#define REACH 2            /* pixels by which two boxes have to be apart */

typedef struct {
    int x, y, low, high; /* where it begins; the rows that it reaches */
    float slope;         /* columns per row */
} Edge;

typedef struct {
    uint8_t *pixels; /* (height, width) */
    size height, width;
    uint8_t value;
    const uint8_t *under; /* NULL, or another map (height, width) ... */
    int64_t *counts;      /* ... whose values are counted where value is new */
} Canvas;

static void span(const Canvas *canvas, size row, size left, size right) {
    left = most(left, 0);
    right = least(right + 1, canvas->width);
    if (row < 0 || row >= canvas->height || left >= right)
        return;
    uint8_t *pixels = canvas->pixels + row * canvas->width, value = canvas->value;
    const uint8_t *under = canvas->under ? canvas->under + row * canvas->width : NULL;
    for (size at = left, end; under && at < right;) {
        uint64_t ink = spread(pixels[at]), other = spread(under[at]);
        for (end = at; end + WORD <= right; end += WORD)
            if ((word(pixels + end) ^ ink) | (word(under + end) ^ other))
                break;
        if ((ink & 255) != value)
            canvas->counts[other & 255] += end - at;
        for (at = end, end = least(right, at + WORD); at < end; at++)
            canvas->counts[under[at]] += pixels[at] != value;
    }
    memset(pixels + left, value, (size_t)(right - left));
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
        Canvas canvas = {pixels.buf, pixels.len / width, width, (uint8_t)value, NULL, NULL};
        area = draw(&canvas, limit, points);
    }
    PyBuffer_Release(&pixels);
    if (area == -1)
        Py_RETURN_NONE;
    return area < 0 ? NULL : PyFloat_FromDouble(area);
}

/* x0, y0, x1, y1 around the pixels of a tuple of 2 n numbers; 0 where there is none, or one is too
   far, or with an exception where one is no number. */
static int box_of(PyObject *points, double limit, double *box) {
    size length = PyTuple_Size(points);
    box[0] = box[1] = limit, box[2] = box[3] = -limit;
    for (size at = 0; at < length; at++) {
        double value = PyFloat_AsDouble(PyTuple_GetItem(points, at));
        if (!(value >= -limit && value <= limit) || (value == -1 && PyErr_Occurred()))
            return 0;
        size axis = at & 1;
        box[axis] = value < box[axis] ? value : box[axis];
        box[axis + 2] = value > box[axis + 2] ? value : box[axis + 2];
    }
    return length > 0;
}

static int meet(const double *first, const double *second) {
    return first[0] - second[2] <= REACH && second[0] - first[2] <= REACH &&
           first[1] - second[3] <= REACH && second[1] - first[3] <= REACH;
}

/* Whether the polygon of that number meets a later one of another value; of very many, each is
   taken to. */
static int is_covered(const double *boxes, const uint8_t *values, size number, size n) {
    for (size other = number + 1; other < n; other++)
        if (n > MANY ||
            (values[other] != values[number] && meet(boxes + 4 * number, boxes + 4 * other)))
            return 1;
    return 0;
}

/* What lies under all polygons of one value that others may cover, those of value itself left out;
   None where there is no such polygon; NULL with an exception. */
static PyObject *under_one(const Canvas *canvas, double limit, PyObject *polygons,
                           const double *boxes, const uint8_t *values, uint8_t value) {
    size n = PyTuple_Size(polygons), number = 0;
    double area = 0;
    memset(canvas->counts, 0, 256 * sizeof *canvas->counts);
    for (size at = 0; at < n && area >= 0; at++) {
        if (values[at] != value || !is_covered(boxes, values, at, n))
            continue;
        area = draw(canvas, limit, PyTuple_GetItem(polygons, at));
        number++;
    }
    canvas->counts[value] = 0;
    if (area < 0)
        return NULL;
    if (!number)
        Py_RETURN_NONE;
    return as_dict(canvas->counts);
}

static PyObject *under_all(const Py_buffer *under, size width, double limit, PyObject *polygons,
                           const uint8_t *values) {
    size n = PyTuple_Size(polygons);
    int64_t counts[256];
    uint8_t *pixels = calloc((size_t)most(under->len, 1), 1);
    double *boxes = malloc((size_t)most(n, 1) * 4 * sizeof *boxes);
    PyObject *result = pixels && boxes ? PyDict_New() : PyErr_NoMemory();
    for (size at = 0; result && at < n; at++)
        if (!box_of(PyTuple_GetItem(polygons, at), limit, boxes + 4 * at)) {
            Py_DECREF(result);
            result = PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
            break;
        }
    uint8_t seen[256] = {0};
    for (size at = 0; result && result != Py_None && at < n; at++) {
        uint8_t value = values[at];
        if (seen[value])
            continue;
        seen[value] = 1;
        Canvas canvas = {pixels, under->len / width, width, (uint8_t)(value + 1), under->buf,
                         counts};
        PyObject *key = PyLong_FromLong(value);
        PyObject *part = under_one(&canvas, limit, polygons, boxes, values, value);
        if (!key || !part || (part != Py_None && PyDict_SetItem(result, key, part) < 0))
            Py_CLEAR(result);
        Py_XDECREF(key);
        Py_XDECREF(part);
    }
    free(pixels);
    free(boxes);
    return result;
}

PyObject *covers(PyObject *self, PyObject *args) {
    Py_buffer under, values;
    PyObject *polygons, *result = NULL;
    size width;
    double limit;
    if (!PyArg_ParseTuple(args, "y*ndO!y*:covers", &under, &width, &limit, &PyTuple_Type,
                          &polygons, &values))
        return NULL;
    int right = values.len == PyTuple_Size(polygons) &&
                !memchr(values.buf, 255, (size_t)values.len);
    for (size at = 0; right && at < values.len; at++)
        right = PyTuple_Check(PyTuple_GetItem(polygons, at));
    if (!right)
        PyErr_SetString(PyExc_ValueError, "a value of 0 to 254 is needed for each tuple");
    else if (fits(&under, width, 0))
        result = under_all(&under, width, limit, polygons, values.buf);
    PyBuffer_Release(&under);
    PyBuffer_Release(&values);
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
