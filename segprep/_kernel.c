/* The optional kernel: loops over pixels for which NumPy takes several passes. segprep/kernel.py
   lists the functions; beside every call of one stands its twin in NumPy, which gives the same.

   Buffers are C-contiguous bytes, compared in length before a byte is touched. Nothing that the
   bytes hold leads outside, so other threads may run, and even write, while large ones are read. */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1 /* as in segprep/kernel.py: raised when a function's arguments or result change */
#define LARGE (1 << 16)
#define WORD ((size)8)

typedef Py_ssize_t size;

static uint64_t word(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static uint64_t spread(uint8_t value) { return value * UINT64_C(0x0101010101010101); }

static size least(size first, size second) { return first < second ? first : second; }

static PyThreadState *let_go(size bytes) { return bytes < LARGE ? NULL : PyEval_SaveThread(); }

static void take_back(PyThreadState *state) {
    if (state)
        PyEval_RestoreThread(state);
}

/* Histogram of pixels (n,), and table[pixel] of each to out where there is a table. */
static void count(const uint8_t *pixels, size n, const uint8_t *table, uint8_t *out,
                  int64_t *counts) {
    int64_t mixed[4][256] = {{0}}; /* neighbors are mostly equal: one counter would be waited for */
    for (size at = 0, end; at < n;) {
        uint64_t run = spread(pixels[at]);
        for (end = at; end + WORD <= n && word(pixels + end) == run;)
            end += WORD;
        counts[run & 255] += end - at;
        if (table)
            memset(out + at, table[run & 255], (size_t)(end - at));
        for (at = end, end = least(n, at + WORD); at < end; at++) {
            uint8_t pixel = pixels[at];
            mixed[at & 3][pixel]++;
            if (table)
                out[at] = table[pixel];
        }
    }
    for (int value = 0; value < 256; value++)
        counts[value] += mixed[0][value] + mixed[1][value] + mixed[2][value] + mixed[3][value];
}

static PyObject *as_dict(const int64_t *counts) {
    PyObject *result = PyDict_New();
    for (int value = 0; result && value < 256; value++) {
        if (!counts[value])
            continue;
        PyObject *key = PyLong_FromLong(value), *number = PyLong_FromLongLong(counts[value]);
        if (!key || !number || PyDict_SetItem(result, key, number) < 0)
            Py_CLEAR(result);
        Py_XDECREF(key);
        Py_XDECREF(number);
    }
    return result;
}

static PyObject *histogram(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    int64_t counts[256] = {0};
    if (!PyArg_ParseTuple(args, "y*:histogram", &pixels))
        return NULL;
    PyThreadState *state = let_go(pixels.len);
    count(pixels.buf, pixels.len, NULL, NULL, counts);
    take_back(state);
    PyBuffer_Release(&pixels);
    return as_dict(counts);
}

static PyObject *look_up(PyObject *self, PyObject *args) {
    Py_buffer pixels, table, out;
    int64_t counts[256] = {0};
    if (!PyArg_ParseTuple(args, "y*y*w*:look_up", &pixels, &table, &out))
        return NULL;
    int fits = table.len == 256 && out.len == pixels.len;
    if (fits) {
        PyThreadState *state = let_go(pixels.len);
        count(pixels.buf, pixels.len, table.buf, out.buf, counts);
        take_back(state);
    } else {
        PyErr_SetString(PyExc_ValueError, "a table of 256 and room for each pixel are needed");
    }
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&table);
    PyBuffer_Release(&out);
    return fits ? as_dict(counts) : NULL;
}

typedef struct {
    int64_t cells[256][256];
    uint8_t used[256]; /* rows that were set to 0 and hold counts */
} Pairs;

static void add(Pairs *pairs, uint8_t row, uint8_t column, size number) {
    if (!pairs->used[row]) {
        memset(pairs->cells[row], 0, sizeof pairs->cells[row]);
        pairs->used[row] = 1;
    }
    pairs->cells[row][column] += number;
}

static void count_pairs(Pairs *pairs, const uint8_t *truth, const uint8_t *pred, size n) {
    memset(pairs->used, 0, sizeof pairs->used);
    for (size at = 0, end; at < n;) {
        uint64_t left = spread(truth[at]), right = spread(pred[at]);
        for (end = at; end + WORD <= n; end += WORD)
            if ((word(truth + end) ^ left) | (word(pred + end) ^ right))
                break;
        add(pairs, left & 255, right & 255, end - at);
        for (at = end, end = least(n, at + WORD); at < end; at++)
            add(pairs, truth[at], pred[at], 1);
    }
}

/* What count_pairs counted: rows, columns and counts that are not 0, int64 (3, K) in order. */
static PyObject *as_table(const Pairs *pairs) {
    size number = 0, at = 0;
    for (int row = 0; row < 256; row++)
        for (int column = 0; pairs->used[row] && column < 256; column++)
            number += pairs->cells[row][column] != 0;
    PyObject *result = PyByteArray_FromStringAndSize(NULL, 3 * WORD * number);
    char *bytes = result ? PyByteArray_AsString(result) : NULL;
    for (int64_t row = 0; bytes && row < 256; row++)
        for (int64_t column = 0; pairs->used[row] && column < 256; column++) {
            if (!pairs->cells[row][column])
                continue;
            memcpy(bytes + WORD * at, &row, 8);
            memcpy(bytes + WORD * (number + at), &column, 8);
            memcpy(bytes + WORD * (2 * number + at++), &pairs->cells[row][column], 8);
        }
    return result;
}

static PyObject *joint(PyObject *self, PyObject *args) {
    Py_buffer truth, pred;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*:joint", &truth, &pred))
        return NULL;
    Pairs *pairs = malloc(sizeof *pairs);
    if (!pairs) {
        PyErr_NoMemory();
    } else if (truth.len != pred.len) {
        PyErr_SetString(PyExc_ValueError, "truth and prediction differ in size");
    } else {
        PyThreadState *state = let_go(truth.len);
        count_pairs(pairs, truth.buf, pred.buf, truth.len);
        take_back(state);
        result = as_table(pairs);
    }
    free(pairs);
    PyBuffer_Release(&truth);
    PyBuffer_Release(&pred);
    return result;
}

/* How many zeros pixels (n,) begin with. */
static size leading(const uint8_t *pixels, size n) {
    size at = 0;
    while (at + WORD <= n && !word(pixels + at))
        at += WORD;
    while (at < n && !pixels[at])
        at++;
    return at;
}

/* Where the zeros that pixels (n,) end with begin. */
static size trailing(const uint8_t *pixels, size n) {
    while (n >= WORD && !word(pixels + n - WORD))
        n -= WORD;
    while (n > 0 && !pixels[n - 1])
        n--;
    return n;
}

/* Whichever of three neighbors is nearest to left + up - corner. */
static uint8_t nearest(int left, int up, int corner) {
    int by_left = abs(up - corner), by_up = abs(left - corner);
    int by_corner = abs(left + up - 2 * corner);
    if (by_left <= by_up && by_left <= by_corner)
        return (uint8_t)left;
    return (uint8_t)(by_up <= by_corner ? up : corner);
}

/* One row of width bytes with its filter, 0 to 4, undone. Up to first, raw is 0, and so is the row
   above where the filter looks at it. */
static void undo(int filter, const uint8_t *raw, const uint8_t *above, uint8_t *out, size first,
                 size width) {
    uint8_t left = 0, corner = 0;
    memset(out, 0, (size_t)first);
    if (filter == 0)
        memcpy(out + first, raw + first, (size_t)(width - first));
    for (size at = first; filter == 1 && at < width; at++)
        out[at] = left = (uint8_t)(raw[at] + left);
    for (size at = first; filter == 2 && at < width; at++)
        out[at] = (uint8_t)(raw[at] + above[at]);
    for (size at = first; filter == 3 && at < width; at++)
        out[at] = left = (uint8_t)(raw[at] + (left + above[at]) / 2);
    for (size at = first; filter == 4 && at < width; at++) {
        out[at] = left = (uint8_t)(raw[at] + nearest(left, above[at], corner));
        corner = above[at];
    }
}

/* The last row's filter, or the first that is unknown. *above* is a row of zeros at first. */
static int undo_all(const uint8_t *rows, size height, size width, const uint8_t *above,
                    uint8_t *out) {
    int filter = 0;
    for (size row = 0; row < height; row++, above = out, out += width) {
        const uint8_t *raw = rows + row * (width + 1) + 1;
        filter = raw[-1];
        if (filter > 4)
            return filter;
        size first = filter ? leading(raw, width) : 0;
        undo(filter, raw, above, out, filter > 1 ? leading(above, first) : first, width);
    }
    return filter;
}

static PyObject *unfilter(PyObject *self, PyObject *args) {
    Py_buffer rows, out;
    size width;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nw*:unfilter", &rows, &width, &out))
        return NULL;
    int fits = width > 0 && width < rows.len && !(rows.len % (width + 1)) &&
               out.len == rows.len - rows.len / (width + 1);
    uint8_t *zeros = fits ? calloc((size_t)width, 1) : NULL;
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "rows of 1 + width bytes and room for them are needed");
    } else if (!zeros) {
        PyErr_NoMemory();
    } else {
        PyThreadState *state = let_go(rows.len);
        int filter = undo_all(rows.buf, rows.len / (width + 1), width, zeros, out.buf);
        take_back(state);
        result = PyBool_FromLong(filter <= 4);
    }
    free(zeros);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&out);
    return result;
}

static PyObject *box(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    size width;
    if (!PyArg_ParseTuple(args, "y*n:box", &pixels, &width))
        return NULL;
    int fits = width > 0 && !(pixels.len % width);
    size height = fits ? pixels.len / width : 0, top = height, bottom = 0, left = width, right = 0;
    const uint8_t *row = pixels.buf;
    PyThreadState *state = let_go(pixels.len);
    for (size number = 0; number < height; number++, row += width) {
        size first = leading(row, width);
        if (first == width)
            continue;
        top = least(top, number);
        bottom = number + 1;
        left = least(left, first);
        right += trailing(row + right, width - right);
    }
    take_back(state);
    PyBuffer_Release(&pixels);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "rows of width bytes are needed");
        return NULL;
    }
    if (!bottom)
        Py_RETURN_NONE;
    return Py_BuildValue("(nnnn)", top, bottom, left, right);
}

static PyMethodDef functions[] = {
    {"histogram", histogram, METH_VARARGS, "histogram(pixels) -> {value: count}"},
    {"look_up", look_up, METH_VARARGS, "look_up(pixels, table, out) -> {value: count}"},
    {"joint", joint, METH_VARARGS, "joint(truth, pred) -> int64 (3, K)"},
    {"unfilter", unfilter, METH_VARARGS, "unfilter(rows, width, out) -> whether all are known"},
    {"box", box, METH_VARARGS, "box(pixels, width) -> (top, bottom, left, right) or None"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernel", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) {
    PyObject *result = PyModule_Create(&module);
    if (result && PyModule_AddIntConstant(result, "VERSION", VERSION) < 0)
        Py_CLEAR(result);
    return result;
}
