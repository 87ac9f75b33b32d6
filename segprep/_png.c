/* The kernel's way to read and write masks as PNG: the row filters of what was inflated, the part
   that is not 0, and deflating (by _deflate.h). */

#include "_deflate.h"
#include "_kernel.h"

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
    if (filter == 0 && out != raw)
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

/* The same within rows (height, 1 + width), whose filters become 0. */
int undo_in_place(uint8_t *rows, size height, size width, const uint8_t *above) {
    for (uint8_t *row = rows; row < rows + height * (width + 1); row += width + 1) {
        if (*row > 4)
            return 0;
        size first = *row ? leading(row + 1, width) : 0;
        undo(*row, row + 1, above, row + 1, *row > 1 ? leading(above, first) : first, width);
        *row = 0;
        above = row + 1;
    }
    return 1;
}

PyObject *unfilter(PyObject *self, PyObject *args) {
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

/* Whether n bytes are 0. */
static int is_zero(const uint8_t *bytes, size n) {
    uint64_t mixed = 0;
    size at = 0;
    for (; at + 4 * WORD <= n && !mixed; at += 4 * WORD)
        mixed = word(bytes + at) | word(bytes + at + 8) | word(bytes + at + 16) |
                word(bytes + at + 24);
    return !mixed && leading(bytes + at, n - at) == n - at;
}

typedef struct {
    size top, bottom, left, right; /* bottom and right exclusive; bottom 0: nothing */
} Box;

/* Undoes the filters of rows (height, 1 + width) where they are, but for rows of zeros below such
   ones. Returns whether all filters are known. */
static int lit_rows(uint8_t *rows, size height, size width, const uint8_t *zeros, Box *box) {
    const uint8_t *above = zeros;
    int dark = 1; /* above */
    for (size number = 0; number < height; number++, above = rows, rows += width) {
        int filter = *rows++;
        if (filter > 4)
            return 0;
        if (dark && is_zero(rows, width))
            continue;
        undo(filter, rows, above, rows, 0, width);
        size first = leading(rows, width);
        dark = first == width;
        if (dark)
            continue;
        box->top = least(box->top, number);
        box->bottom = number + 1;
        box->left = least(box->left, first);
        box->right += trailing(rows + box->right, width - box->right);
    }
    return 1;
}

/* (top, left, height, width, pixels, how many are lit, how many are 255, pieces of rows that are
   lit) of what is not 0; None of a filter that is unknown. */
static PyObject *part_of(uint8_t *rows, size height, size width, const uint8_t *zeros) {
    Box box = {height, 0, width, 0};
    size all = 0, whites = 0, pieces = 0;
    if (!lit_rows(rows, height, width, zeros, &box))
        Py_RETURN_NONE;
    if (!box.bottom)
        box.top = box.left = 0;
    size tall = box.bottom - box.top, wide = box.right - box.left;
    PyObject *pixels = PyByteArray_FromStringAndSize(NULL, tall * wide);
    if (!pixels)
        return NULL;
    uint8_t *to = (uint8_t *)PyByteArray_AsString(pixels);
    for (size number = box.top; number < box.bottom; number++, to += wide) {
        const uint8_t *row = rows + number * (width + 1) + 1 + box.left;
        memcpy(to, row, (size_t)wide);
        for (size at = 0; at < wide; at++) {
            all += !!row[at];
            whites += row[at] == 255;
            pieces += row[at] && !(at && row[at - 1]);
        }
    }
    return Py_BuildValue("(nnnnNnnn)", box.top, box.left, tall, wide, pixels, all, whites, pieces);
}

PyObject *lit(PyObject *self, PyObject *args) {
    Py_buffer stream;
    size height, width;
    if (!PyArg_ParseTuple(args, "y*nn:lit", &stream, &height, &width))
        return NULL;
    PyObject *result = NULL;
    size n = are_few(height, width) ? height * (width + 1) : 0;
    Memory memory = n ? take_memory(n + width) : (Memory){NULL, 0};
    if (!n) {
        PyErr_SetString(PyExc_ValueError, "height and width are needed");
    } else if (!memory.bytes) {
        PyErr_NoMemory();
    } else {
        memset(memory.bytes + n, 0, (size_t)width);
        PyThreadState *state = let_go(n);
        int whole = inflated(stream.buf, stream.len, memory.bytes, n) == stream.len;
        take_back(state);
        const uint8_t *zeros = memory.bytes + n;
        result = whole ? part_of(memory.bytes, height, width, zeros) : Py_NewRef(Py_None);
    }
    give_memory(memory);
    PyBuffer_Release(&stream);
    return result;
}

/* What segprep/imaging/flat_stream.py gives. */
PyObject *deflate(PyObject *self, PyObject *args) {
    Py_buffer pixels;
    PyObject *code, *result = NULL;
    size width;
    Deflate out;
    if (!PyArg_ParseTuple(args, "y*nO!:deflate", &pixels, &width, &PyTuple_Type, &code))
        return NULL;
    size height = width > 0 && !(pixels.len % width) ? pixels.len / width : 0;
    if (open_deflate(&out, code, height, width)) {
        const uint8_t *row = pixels.buf;
        PyThreadState *state = let_go(pixels.len);
        for (size number = 0; number < height; number++, row += width)
            put_row(&out, row);
        take_back(state);
        result = stream_of(&out, row);
        close_deflate(&out);
    }
    PyBuffer_Release(&pixels);
    return result;
}
