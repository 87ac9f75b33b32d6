/* The optional kernel: loops over pixels for which NumPy takes several passes, and one over files,
   whose states it asks for. segprep/kernel.py lists the functions; beside every call of one stands
   its twin in Python, which gives the same.

   Buffers are C-contiguous bytes, compared in length before a byte is touched. Nothing that the
   bytes hold leads outside, so other threads may run, and even write, while large ones are read. */

#include "_kernel.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
/* after the year 2262, the last 64 bits of them */
#define nanoseconds(time) \
    (int64_t)((uint64_t)(time).tv_sec * 1000000000 + (uint64_t)(time).tv_nsec)
#endif
#ifdef __APPLE__
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

#define VERSION 14 /* as in segprep/kernel.py: raised as a function's arguments or result change */

static size half(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
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

PyObject *as_dict(const int64_t *counts, size n) {
    PyObject *result = PyDict_New();
    for (size value = 0; result && value < n; value++) {
        if (!counts[value])
            continue;
        PyObject *key = PyLong_FromSsize_t(value), *number = PyLong_FromLongLong(counts[value]);
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
    return as_dict(counts, 256);
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
    return fits ? as_dict(counts, 256) : NULL;
}

/* Whether the arguments are pixels (height, width) and their width; pixels are to be released. */
static int are_rows(PyObject *args, Py_buffer *pixels, size *width) {
    if (!PyArg_ParseTuple(args, "y*n", pixels, width))
        return 0;
    if (*width > 0 && !(pixels->len % *width))
        return 1;
    PyErr_SetString(PyExc_ValueError, "rows of width bytes are needed");
    PyBuffer_Release(pixels);
    return 0;
}

static PyObject *box(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    size width;
    if (!are_rows(args, &pixels, &width))
        return NULL;
    size height = pixels.len / width, top = height, bottom = 0, left = width, right = 0;
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
    if (!bottom)
        Py_RETURN_NONE;
    return Py_BuildValue("(nnnn)", top, bottom, left, right);
}

/* Flag the values that fill some 3 x 3 block of pixels (height, width). */
static void find_blocks(const uint8_t *pixels, size height, size width, uint8_t *filled) {
    for (size number = 1; number + 1 < height; number++) {
        const uint8_t *row = pixels + number * width, *rows[3] = {row - width, row, row + width};
        for (size at = 1; at + 1 < width; at++) {
            uint8_t value = row[at], other = 0;
            if (filled[value]) {
                while (at + WORD < width && word(row + at) == spread(value))
                    at += WORD;
                at -= row[at] != value;
                continue;
            }
            for (int n = 0; n < 3; n++)
                for (size near = at - 1; near < at + 2; near++)
                    other |= rows[n][near] ^ value;
            filled[value] = !other;
        }
    }
}

static PyObject *blocks(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    size width, number = 0;
    uint8_t filled[256] = {0};
    if (!are_rows(args, &pixels, &width))
        return NULL;
    PyThreadState *state = let_go(pixels.len);
    find_blocks(pixels.buf, pixels.len / width, width, filled);
    take_back(state);
    PyBuffer_Release(&pixels);
    for (int value = 0; value < 256; value++)
        if (filled[value])
            filled[number++] = (uint8_t)value;
    return PyBytes_FromStringAndSize((char *)filled, number);
}

/* Pixels unlike those before and after them in memory, and unlike those above and below. */
static size count_specks(const uint8_t *pixels, size n, size width) {
    size number = 0;
    for (size at = width; at < n - width && width > 1;) {
        if (at + width + WORD <= n && word(pixels + at) == word(pixels + at + 1)) {
            at += WORD;
            continue;
        }
        for (size end = least(n - width, at + WORD); at < end; at++) {
            const uint8_t *own = pixels + at;
            number += (*own != own[-1]) & (*own != own[1]) & (*own != own[-width]) &
                      (*own != own[width]);
        }
    }
    return number;
}

static PyObject *specks(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    size width;
    if (!are_rows(args, &pixels, &width))
        return NULL;
    PyThreadState *state = let_go(pixels.len);
    size number = count_specks(pixels.buf, pixels.len, width);
    take_back(state);
    PyBuffer_Release(&pixels);
    return PyLong_FromSsize_t(number);
}

/* Which of 2, 3 and 4 divide number, as bits. */
static int divisors(size number) {
    return (number % 2 ? 0 : 1) | (number % 3 ? 0 : 2) | (number % 4 ? 0 : 4);
}

/* The largest of 4, 3, 2 that divides every row and column at which pixels change, 1 for none or
   fewer than four of either; changed (width,) is zeros. */
static int find_step(const uint8_t *pixels, size height, size width, uint8_t *changed) {
    size rows = 0, columns = 0;
    int fits = 7;
    for (size number = 0; number < height && fits; number++) {
        const uint8_t *row = pixels + number * width;
        if (number && memcmp(row - width, row, (size_t)width)) {
            rows++;
            fits &= divisors(number);
        }
        for (size at = 1; at < width; at++) {
            while (at + WORD < width && word(row + at - 1) == word(row + at))
                at += WORD;
            if (row[at] != row[at - 1] && !changed[at]) {
                changed[at] = 1;
                columns++;
                fits &= divisors(at);
            }
        }
    }
    return least(rows, columns) < 4 ? 1 : fits & 4 ? 4 : fits & 2 ? 3 : fits & 1 ? 2 : 1;
}

static PyObject *step(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    size width;
    if (!are_rows(args, &pixels, &width))
        return NULL;
    uint8_t *changed = calloc((size_t)width, 1);
    int result = changed ? find_step(pixels.buf, pixels.len / width, width, changed) : 0;
    free(changed);
    PyBuffer_Release(&pixels);
    return result ? PyLong_FromLong(result) : PyErr_NoMemory();
}

static const uint8_t DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The two digits of twelve bits, as they lie in memory. */
static void make_digits(uint16_t *digits) {
    for (int value = 0; value < 4096; value++) {
        uint8_t both[2] = {DIGITS[value >> 6], DIGITS[value & 63]};
        memcpy(digits + value, both, 2);
    }
}

/* Whether text (4 * ((n + 2) / 3),) is bytes (n,) in base64. */
static int is_encoded(const uint8_t *text, const uint8_t *bytes, size n) {
    uint16_t digits[4096];
    uint8_t last[3] = {0}, end[4];
    size unlike = 0;
    make_digits(digits);
    for (; n >= 3 && !unlike; n -= 3, bytes += 3, text += 4)
        unlike = (half(text) ^ digits[bytes[0] << 4 | bytes[1] >> 4]) |
                 (half(text + 2) ^ digits[(bytes[1] & 15) << 8 | bytes[2]]);
    if (unlike || !n)
        return !unlike;
    memcpy(last, bytes, (size_t)n);
    memcpy(end, digits + (last[0] << 4 | last[1] >> 4), 2);
    memcpy(end + 2, digits + ((last[1] & 15) << 8), 2);
    end[3] = '=';
    end[2] = n > 1 ? end[2] : '=';
    return !memcmp(text, end, 4);
}

static PyObject *is_base64(PyObject *self, PyObject *args) {
    Py_buffer text, bytes;
    if (!PyArg_ParseTuple(args, "y*y*:is_base64", &text, &bytes))
        return NULL;
    PyThreadState *state = let_go(text.len);
    int same = text.len % 4 == 0 && text.len / 4 == bytes.len / 3 + (bytes.len % 3 > 0) &&
               is_encoded(text.buf, bytes.buf, bytes.len);
    take_back(state);
    PyBuffer_Release(&text);
    PyBuffer_Release(&bytes);
    return PyBool_FromLong(same);
}

/* Rows of int64 (N, 5): mode, size, times of the content and of the inode (nanoseconds), inode of
   each of names in a folder, of links themselves; None where the system has no such call. */
static PyObject *states(PyObject *self, PyObject *args) {
    PyObject *names;
    const char *folder;
    if (!PyArg_ParseTuple(args, "yO!:states", &folder, &PyList_Type, &names))
        return NULL;
#ifdef _WIN32
    Py_RETURN_NONE;
#else
    int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, folder);
    size n = PyList_Size(names);
    PyObject *result = PyByteArray_FromStringAndSize(NULL, n * 5 * (size)sizeof(int64_t));
    for (size at = 0; result && at < n; at++) {
        struct stat state;
        const char *name = PyBytes_AsString(PyList_GetItem(names, at));
        if (!name || fstatat(handle, name, &state, AT_SYMLINK_NOFOLLOW) < 0) {
            if (name)
                PyErr_SetFromErrnoWithFilename(PyExc_OSError, name);
            Py_CLEAR(result);
        } else {
            int64_t row[5] = {state.st_mode, state.st_size, nanoseconds(state.st_mtim),
                              nanoseconds(state.st_ctim), (int64_t)state.st_ino};
            memcpy(PyByteArray_AsString(result) + at * (size)sizeof(row), row, sizeof(row));
        }
    }
    close(handle);
    return result;
#endif
}

static PyMethodDef functions[] = {
    {"histogram", histogram, METH_VARARGS, "histogram(pixels) -> {value: count}"},
    {"look_up", look_up, METH_VARARGS, "look_up(pixels, table, out) -> {value: count}"},
    {"joint", joint, METH_VARARGS, "joint(truth, pred) -> int64 (3, K)"},
    {"joint_streams", joint_streams, METH_VARARGS,
     "joint_streams(truth, pred, height, width) -> int64 (3, K) or None"},
    {"inflate", inflate, METH_VARARGS, "inflate(stream, out) -> bytes read, or -1"},
    {"deflate", deflate, METH_VARARGS,
     "deflate(pixels, width, (rules, code)) -> stream or None"},
    {"lit", lit, METH_VARARGS,
     "lit(stream, height, width) -> (top, left, height, width, pixels, counts) or None"},
    {"unfilter", unfilter, METH_VARARGS, "unfilter(rows, width, out) -> whether all are known"},
    {"polygon", polygon, METH_VARARGS, "polygon(canvas, width, limit, points, value) -> area"},
    {"paint", paint, METH_VARARGS,
     "paint(canvas, width, limit, most, polygons, values, inks, code) -> (shown, over, stream)"},
    {"flat", flat, METH_VARARGS, "flat(pairs, farthest) -> points or None"},
    {"box", box, METH_VARARGS, "box(pixels, width) -> (top, bottom, left, right) or None"},
    {"blocks", blocks, METH_VARARGS, "blocks(pixels, width) -> values that fill 3 x 3"},
    {"specks", specks, METH_VARARGS, "specks(pixels, width) -> lone pixels"},
    {"step", step, METH_VARARGS, "step(pixels, width) -> 4, 3, 2 or 1"},
    {"is_base64", is_base64, METH_VARARGS, "is_base64(text, data) -> whether that is its text"},
    {"states", states, METH_VARARGS, "states(folder, names) -> int64 (N, 5) or None"},
    {"fit", fit, METH_VARARGS, "fit(colors, small, logs, least)"},
    {"in_short", in_short, METH_VARARGS, "in_short(colors)"},
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
