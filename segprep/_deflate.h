/* Flat masks as the parts of a zlib stream, which segprep/imaging/flat_stream.py describes: runs of
   one value, and copies of what is as in the row above. */

#ifndef SEGPREP_DEFLATE_H
#define SEGPREP_DEFLATE_H

#include "_kernel.h"

#define LONGEST_COPY 258 /* bytes */
#define ADLER 65521      /* what both sums of the checksum are taken modulo */

typedef struct {
    Py_buffer head, values, lengths;          /* the arrays of a Code */
    const uint64_t *literals, *runs, *copies; /* of each value, each length: 32 * bits + number */
    size start;                               /* bits of the head */
    unsigned end;
    size shortest, few, blank; /* mean bytes of a part, bytes worth a copy, zeros that are a run */
    size width, bytes;         /* of a row of pixels; of all rows */
    uint8_t *room, *to;        /* where all goes, and the next byte */
    uint64_t bits;             /* those before it, lowest first */
    unsigned count;            /* of them, less than 8 */
    size parts, run, same;     /* parts so far; bytes of a run, and of a copy, that go on */
    uint8_t value;             /* of that run */
    int coded, begun;          /* whether all values have a code; whether there is a row above */
    int64_t sum, weighted;     /* of a row's bytes; each times how many are left in the row */
    uint64_t low, high;        /* the sums of the checksum */
} Deflate;

static inline void put(Deflate *out, uint64_t entry) {
    out->bits |= entry >> 5 << out->count;
    out->count += entry & 31;
    if (LITTLE) {
        memcpy(out->to, &out->bits, 8); /* what is too much is written over later */
        out->to += out->count >> 3;
        out->bits >>= out->count & ~7u;
        out->count &= 7;
    }
    for (; out->count >= 8; out->count -= 8, out->bits >>= 8)
        *out->to++ = (uint8_t)out->bits;
}

/* The rest of n bytes, and the longest copies of them. */
static void put_length(Deflate *out, const uint64_t *lengths, uint64_t literal, size n) {
    size rest = n % LONGEST_COPY, whole = n / LONGEST_COPY;
    if (rest > 2)
        put(out, lengths[rest]);
    else
        for (; rest > 0; rest--)
            put(out, literal);
    for (; whole > 0; whole--)
        put(out, lengths[LONGEST_COPY]);
}

static void put_run(Deflate *out, uint8_t value, size n) {
    uint64_t literal = out->literals[value];
    if (n <= 0)
        return;
    put(out, literal);
    put_length(out, out->runs, literal, n - 1);
    out->coded &= literal != 0;
    out->parts++;
}

/* More bytes of one value. */
static inline void add_run(Deflate *out, uint8_t value, size n) {
    if (value != out->value) {
        put_run(out, out->value, out->run);
        out->value = value;
        out->run = 0;
    }
    out->run += n;
}

/* Which of 64 bytes are not as in the row above, as bits. */
static inline uint64_t unlike(const uint8_t *row, const uint8_t *above) {
    uint64_t bits = 0;
#ifdef SIMD
    for (int at = 0; at < 64; at += 16) {
        __m128i equal = _mm_cmpeq_epi8(sixteen(row + at), sixteen(above + at));
        bits |= (uint64_t)(0xffff ^ _mm_movemask_epi8(equal)) << at;
    }
#else
    for (int at = 0; at < 64; at++) {
        if (at % 8 == 0 && word(row + at) == word(above + at))
            at += 7;
        else
            bits |= (uint64_t)(row[at] != above[at]) << at;
    }
#endif
    return bits;
}

/* Copies the same bytes, before column at of row, from one row above, but for one or two that can
   not be copied and for few: these are runs, as zeros are. */
static void put_same(Deflate *out, const uint8_t *row, size at, int zeros) {
    size n = out->same, rest = n % LONGEST_COPY, left = n < out->few ? n : rest < 3 ? rest : 0;
    out->same = 0;
    if (n > left) {
        put_run(out, out->value, out->run);
        out->run = 0;
        if (zeros && n >= out->blank) {
            put_run(out, 0, n - left);
        } else {
            put_length(out, out->copies, 0, n - left);
            out->parts++;
        }
    }
    for (at -= left; left > 0; at++, left--) /* a row is longer than these */
        add_run(out, at == -1 ? 0 : at < 0 ? row[at + 1] : row[at], 1);
}

/* A byte of row, at that column, which is not as in the row above. */
static inline void put_unlike(Deflate *out, const uint8_t *row, size at, uint8_t above, int zeros) {
    if (out->same)
        put_same(out, row, at, zeros);
    add_run(out, row[at], 1);
    out->sum += row[at] - above;
    out->weighted += (row[at] - above) * (int64_t)(out->width - at);
}

/* The next row, which comes behind the row above in memory, led by a 0. */
static void put_row(Deflate *out, const uint8_t *row) {
    const uint8_t *above = row - out->width;
    size width = out->width, next = 0, at = 0;
    int zeros = !out->sum; /* above */
    if ((out->parts - 1) * out->shortest > out->bytes)
        return; /* there is room for one row more */
    if (out->begun)
        out->same++;
    else
        add_run(out, 0, 1);
    for (; out->begun && at + 64 <= width; at += 64)
        for (uint64_t bits = unlike(row + at, above + at); bits; bits &= bits - 1) {
            size place = at + lowest(bits);
            out->same += place - next;
            put_unlike(out, row, place, above[place], zeros);
            next = place + 1;
        }
    for (; at < width; at++)
        if (!out->begun || row[at] != above[at]) {
            out->same += at - next;
            put_unlike(out, row, at, out->begun ? above[at] : 0, zeros);
            next = at + 1;
        }
    out->same += width - next;
    out->begun = 1;
    out->high = (out->high + out->low * (uint64_t)(width + 1) + (uint64_t)out->weighted) % ADLER;
    out->low = (out->low + (uint64_t)out->sum) % ADLER;
}

static void close_deflate(Deflate *out) {
    free(out->room);
    PyBuffer_Release(&out->head);
    PyBuffer_Release(&out->values);
    PyBuffer_Release(&out->lengths);
}

/* Begins a stream of rows (height, width) by rules and a code; 0 with an exception where they do
   not fit together or there is no memory. */
static int open_deflate(Deflate *out, PyObject *code, size height, size width) {
    memset(out, 0, sizeof *out);
    if (!PyArg_ParseTuple(code, "(nnn)(y*ny*y*I)", &out->shortest, &out->few, &out->blank,
                          &out->head, &out->start, &out->values, &out->lengths, &out->end))
        return 0;
    int fits = width > 8 && height > 0 && out->shortest > 7 && out->few > 2 && out->few < 9 &&
               out->blank > 1 && out->values.len == 256 * 8 &&
               out->lengths.len == 2 * 8 * (LONGEST_COPY + 1) && out->start > 0 &&
               out->head.len == (out->start + 7) / 8;
    if (fits) {
        out->literals = out->values.buf, out->runs = out->lengths.buf;
        out->copies = out->runs + LONGEST_COPY + 1;
        out->width = width, out->bytes = height * (width + 1);
        out->blank *= width + 1;
        out->coded = 1, out->low = 1;
        out->to = out->room = malloc((size_t)(out->bytes / 2 + 8 * width + out->head.len + 64));
    }
    if (!fits)
        PyErr_SetString(PyExc_ValueError, "rows of width bytes, rules and a code are needed");
    else if (!out->room)
        PyErr_NoMemory();
    if (!out->room) {
        close_deflate(out);
        return 0;
    }
    const uint8_t *head = out->head.buf;
    for (size at = 0; at < out->head.len; at++)
        put(out, (uint64_t)head[at] << 5 | (uint64_t)least(8, out->start - 8 * at));
    return 1;
}

/* The stream; None where a value has no code, or parts are too short. *behind* the last row. */
static PyObject *stream_of(Deflate *out, const uint8_t *behind) {
    if (!out->coded || out->parts * out->shortest > out->bytes)
        return Py_NewRef(Py_None);
    if (out->same)
        put_same(out, behind, -1, !out->sum);
    put_run(out, out->value, out->run);
    put(out, out->end);
    put(out, out->count ? 8 - out->count : 0);
    uint64_t sums = out->high << 16 | out->low;
    for (int shift = 24; shift >= 0; shift -= 8)
        put(out, (sums >> shift & 255) << 5 | 8);
    if (!out->coded || out->parts * out->shortest > out->bytes)
        return Py_NewRef(Py_None);
    return PyBytes_FromStringAndSize((char *)out->room, out->to - out->room);
}

#endif
