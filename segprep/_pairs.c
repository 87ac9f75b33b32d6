/* The kernel's way to score: how often each value of the truth meets each of the prediction. */

#include "_kernel.h"

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SIMD
#define sixteen(at) _mm_loadu_si128((const __m128i *)(at))
#endif


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

/* Of 16 pixels and the one behind them: which are followed by another pair, as bits. */
static inline uint64_t ends(const uint8_t *truth, const uint8_t *pred) {
#ifdef SIMD
    __m128i rows = _mm_cmpeq_epi8(sixteen(truth), sixteen(truth + 1));
    __m128i columns = _mm_cmpeq_epi8(sixteen(pred), sixteen(pred + 1));
    return 0xffff ^ (uint64_t)_mm_movemask_epi8(_mm_and_si128(rows, columns));
#else
    uint64_t bits = 0;
    for (size at = 0; at < 2 * WORD; at++) {
        const uint8_t *row = truth + at, *column = pred + at;
        if (at % WORD == 0 && word(row) == word(row + 1) && word(column) == word(column + 1))
            at += WORD - 1;
        else
            bits |= (uint64_t)((row[0] != row[1]) | (column[0] != column[1])) << at;
    }
    return bits;
#endif
}

/* Runs of equal pairs are counted at once; where they end is found for 64 pixels together. */
static void count_pairs(Pairs *pairs, const uint8_t *truth, const uint8_t *pred, size n) {
    size start = 0, at = 0;
    memset(pairs->used, 0, sizeof pairs->used);
    for (; at + 64 < n; at += 64) {
        uint64_t bits = 0;
        for (int part = 0; part < 64; part += 16)
            bits |= ends(truth + at + part, pred + at + part) << part;
        for (; bits; bits &= bits - 1) {
            size next = at + lowest(bits) + 1;
            add(pairs, truth[start], pred[start], next - start);
            start = next;
        }
    }
    for (; at < n; at++) {
        if (at + 1 < n && truth[at] == truth[at + 1] && pred[at] == pred[at + 1])
            continue;
        add(pairs, truth[start], pred[start], at + 1 - start);
        start = at + 1;
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

PyObject *joint(PyObject *self, PyObject *args) {
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

/* Rows (height, 1 + width) of both maps: what leads each is counted as its first pixel, once more,
   and subtracted. */
static void count_rows(Pairs *pairs, uint8_t *truth, uint8_t *pred, size height, size width) {
    size n = height * (width + 1);
    for (size at = 0; at < n; at += width + 1) {
        truth[at] = truth[at + 1];
        pred[at] = pred[at + 1];
    }
    count_pairs(pairs, truth, pred, n);
    for (size at = 0; at < n; at += width + 1)
        pairs->cells[truth[at]][pred[at]]--;
}

/* Rows (height, 1 + width) of what a stream inflates to, filters undone; returns whether it fills
   them. */
static int rows_of(const Py_buffer *stream, uint8_t *rows, size height, size width,
                   const uint8_t *zeros) {
    size n = height * (width + 1);
    return inflated(stream->buf, stream->len, rows, n) == stream->len &&
           undo_in_place(rows, height, width, zeros);
}

PyObject *joint_streams(PyObject *self, PyObject *args) {
    Py_buffer truth, pred;
    size height, width;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nn:joint_streams", &truth, &pred, &height, &width))
        return NULL;
    int fits = are_few(height, width);
    size n = fits ? height * (width + 1) : 0, before = (size)sizeof(Pairs);
    Memory memory = fits ? take_memory(before + 2 * n + width) : (Memory){NULL, 0};
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "height and width are needed");
    } else if (!memory.bytes) {
        PyErr_NoMemory();
    } else {
        Pairs *pairs = (Pairs *)memory.bytes;
        uint8_t *rows = memory.bytes + before, *zeros = rows + 2 * n;
        PyThreadState *state = let_go(n);
        memset(zeros, 0, (size_t)width);
        int whole = rows_of(&truth, rows, height, width, zeros) &&
                    rows_of(&pred, rows + n, height, width, zeros);
        if (whole)
            count_rows(pairs, rows, rows + n, height, width);
        take_back(state);
        result = whole ? as_table(pairs) : Py_NewRef(Py_None);
    }
    give_memory(memory);
    PyBuffer_Release(&truth);
    PyBuffer_Release(&pred);
    return result;
}
