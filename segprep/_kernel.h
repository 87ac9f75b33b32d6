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

#define WORD ((size)8)

typedef Py_ssize_t size;

static inline uint64_t word(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint64_t spread(uint8_t value) { return value * UINT64_C(0x0101010101010101); }

static inline size least(size first, size second) { return first < second ? first : second; }

static inline size most(size first, size second) { return first > second ? first : second; }

/* {value: count} of 256 counts, those that are not 0. */
PyObject *as_dict(const int64_t *counts);

PyObject *polygon(PyObject *self, PyObject *args);
PyObject *covers(PyObject *self, PyObject *args);
PyObject *flat(PyObject *self, PyObject *args);

#endif
