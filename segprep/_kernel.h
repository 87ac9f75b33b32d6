/* What the files of the optional kernel share; see _kernel.c. */

#ifndef SEGPREP_KERNEL_H
#define SEGPREP_KERNEL_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _MSC_VER
#include <intrin.h>
#endif

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SIMD
#define sixteen(at) _mm_loadu_si128((const __m128i *)(at))
#endif

#define WORD ((size)8)
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LITTLE 1 /* words are read as they lie in memory */
#else
#define LITTLE 0
#endif

typedef Py_ssize_t size;

static inline uint64_t word(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint64_t spread(uint8_t value) { return value * UINT64_C(0x0101010101010101); }

/* The place of the lowest bit that is set; one is. */
static inline int lowest(uint64_t bits) {
#ifdef _MSC_VER
    unsigned long place = 0;
    _BitScanForward64(&place, bits);
    return (int)place;
#else
    return __builtin_ctzll(bits);
#endif
}

static inline size least(size first, size second) { return first < second ? first : second; }

static inline size most(size first, size second) { return first > second ? first : second; }

/* How many zeros pixels (n,) begin with. */
static inline size leading(const uint8_t *pixels, size n) {
    size at = 0;
    while (at + WORD <= n && !word(pixels + at))
        at += WORD;
    while (at < n && !pixels[at])
        at++;
    return at;
}

/* Where the zeros that pixels (n,) end with begin. */
static inline size trailing(const uint8_t *pixels, size n) {
    while (n >= WORD && !word(pixels + n - WORD))
        n -= WORD;
    while (n > 0 && !pixels[n - 1])
        n--;
    return n;
}

#define LARGE (1 << 16)

/* The interpreter is let go while as many bytes are looked at, and taken back. */
static inline PyThreadState *let_go(size bytes) {
    return bytes < LARGE ? NULL : PyEval_SaveThread();
}

static inline void take_back(PyThreadState *state) {
    if (state)
        PyEval_RestoreThread(state);
}

/* Names for the files of the kernel alone: where libz is loaded with Python itself, as in Debian's,
   inflate would be its. */
#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* {value: count} of n counts, those that are not 0. */
PyObject *as_dict(const int64_t *counts, size n);

/* Inflates stream (n,) into bytes (needed,): the number of bytes read, or -1 where they do not give
   exactly as many. */
size inflated(const uint8_t *stream, size n, uint8_t *bytes, size needed);

/* Undoes the filters of rows (height, 1 + width), which become 0, where they are; *above* is a row
   of zeros. Returns whether all are known. */
int undo_in_place(uint8_t *rows, size height, size width, const uint8_t *above);

#define LARGEST ((size)1 << 30) /* bytes of rows */

/* Whether rows (height, 1 + width) are not too many. */
static inline int are_few(size height, size width) {
    return height > 0 && width > 0 && width < LARGEST && height <= LARGEST / (width + 1);
}

typedef struct {
    uint8_t *bytes;
    size n;
} Memory;

/* Memory of n bytes or more, to be given back; bytes NULL for none. */
Memory take_memory(size n);
void give_memory(Memory memory);

PyObject *joint(PyObject *self, PyObject *args);
PyObject *joint_streams(PyObject *self, PyObject *args);
PyObject *polygon(PyObject *self, PyObject *args);
PyObject *paint(PyObject *self, PyObject *args);
PyObject *unfilter(PyObject *self, PyObject *args);
PyObject *lit(PyObject *self, PyObject *args);
PyObject *inflate(PyObject *self, PyObject *args);
PyObject *deflate(PyObject *self, PyObject *args);
PyObject *flat(PyObject *self, PyObject *args);
PyObject *fit(PyObject *self, PyObject *args);
PyObject *in_short(PyObject *self, PyObject *args);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
