/* The kernel's way to read and write masks as PNG: inflating (RFC 1951), row filters, deflating
   (by _deflate.h). Nearly all of a flat mask are repeats of one byte, which are set at once here. A
   stream that is odd in any way is refused; ISA-L, which reads them all, then decides. */

#include "_deflate.h"
#include "_kernel.h"

#define LONGEST 15 /* bits of a code */
#define SHORT 64
#define FAST 10    /* bits that one look into a table decodes */
#define LITERALS 288
#define DISTANCES 32
#define END 256

typedef struct {
    uint16_t fast[1 << FAST]; /* 16 * symbol + length of its code; 0: the code is longer, or none */
    uint16_t counts[LONGEST + 1], symbols[LITERALS];
} Code;

typedef struct {
    const uint8_t *bytes;
    size n, at;    /* at runs beyond n where zeros were added */
    uint64_t bits; /* the next ones, lowest first */
    int count;     /* of them that are there */
} Input;

typedef struct {
    uint8_t *bytes;
    size n, at;
} Output;

static const uint16_t LENGTHS[29] = {3,  4,  5,  6,  7,  8,  9,  10,  11,  13,
                                     15, 17, 19, 23, 27, 31, 35, 43,  51,  59,
                                     67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t LENGTH_BITS[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t STEPS[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                   33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                   1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

/* At least 56 bits, zeros behind the end. */
static inline void refill(Input *in) {
    if (LITTLE && in->at + WORD <= in->n) {
        in->bits |= word(in->bytes + in->at) << in->count;
        in->at += (63 - in->count) >> 3;
        in->count |= 56;
        return;
    }
    for (; in->count <= 56; in->count += 8, in->at++)
        if (in->at < in->n)
            in->bits |= (uint64_t)in->bytes[in->at] << in->count;
}

static inline unsigned take(Input *in, int number) {
    unsigned value = (unsigned)(in->bits & ((UINT64_C(1) << number) - 1));
    in->bits >>= number;
    in->count -= number;
    return value;
}

/* The code of n symbols whose lengths are given; returns whether every sequence of bits is one. */
static int make(Code *code, const uint8_t *lengths, int n) {
    int first[LONGEST + 2] = {0}, left = 1, reversed = 0;
    memset(code->fast, 0, sizeof code->fast);
    memset(code->counts, 0, sizeof code->counts);
    for (int symbol = 0; symbol < n; symbol++)
        code->counts[lengths[symbol]]++;
    code->counts[0] = 0;
    for (int length = 1; length <= LONGEST; length++) {
        left = 2 * left - code->counts[length];
        if (left < 0)
            return 0;
        first[length + 1] = first[length] + code->counts[length];
    }
    for (int symbol = 0; symbol < n; symbol++)
        if (lengths[symbol])
            code->symbols[first[lengths[symbol]]++] = (uint16_t)symbol;
    for (int length = 1, number = 0; length <= FAST; length++)
        for (int end = number + code->counts[length]; number < end; number++) {
            uint16_t entry = (uint16_t)(16 * code->symbols[number] + length);
            for (int at = reversed; at < 1 << FAST; at += 1 << length)
                code->fast[at] = entry;
            int bit = 1 << (length - 1);
            for (; reversed & bit; bit >>= 1)
                reversed ^= bit;
            reversed |= bit;
        }
    return left == 0;
}

/* The next symbol, of a code of whatever length; -1 for none. */
static int slow_symbol(Input *in, const Code *code) {
    int value = 0, first = 0, index = 0;
    for (int length = 1; length <= LONGEST; length++) {
        value |= (int)(in->bits >> (length - 1)) & 1;
        int count = code->counts[length];
        if (value - count < first) {
            take(in, length);
            return code->symbols[index + value - first];
        }
        index += count;
        first = 2 * (first + count);
        value *= 2;
    }
    return -1;
}

static inline int symbol_of(Input *in, const Code *code) {
    int entry = code->fast[in->bits & ((1 << FAST) - 1)];
    if (!entry)
        return slow_symbol(in, code);
    take(in, entry & 15);
    return entry >> 4;
}

/* Repeats length bytes from distance bytes before; both fit. */
static inline void repeat(Output *out, size length, size distance) {
    uint8_t *to = out->bytes + out->at, *end = to + length;
    const uint8_t *from = to - distance;
    out->at += length;
    if (distance >= WORD && out->n - out->at >= WORD && length < SHORT)
        for (; to < end; to += WORD, from += WORD) /* beyond the end, which is written later */
            memcpy(to, from, (size_t)WORD);
    else if (distance == 1)
        memset(to, *from, (size_t)length);
    else if (distance >= length)
        memcpy(to, from, (size_t)length);
    else
        while (to < end)
            *to++ = *from++;
}

/* Copies of both are kept at hand: what is written through a pointer to bytes might be them. */
static int read_block(Input *input, Output *output, const Code *literals, const Code *distances) {
    Input in = *input;
    Output out = *output;
    int symbol = -1;
    for (;;) {
        refill(&in);
        symbol = symbol_of(&in, literals);
        for (int more = 2; symbol >= 0 && symbol < END && out.at < out.n; more--) {
            out.bytes[out.at++] = (uint8_t)symbol;
            if (!more)
                refill(&in), more = 3;
            symbol = symbol_of(&in, literals);
        }
        if (symbol <= END || symbol > END + 29)
            break;
        refill(&in);
        symbol -= END + 1;
        size length = LENGTHS[symbol] + take(&in, LENGTH_BITS[symbol]);
        int step = symbol_of(&in, distances);
        if (step < 0 || step >= 30)
            break;
        size distance = STEPS[step] + take(&in, step < 2 ? 0 : step / 2 - 1);
        if (distance > out.at || length > out.n - out.at)
            break;
        repeat(&out, length, distance);
    }
    *input = in;
    *output = out;
    return symbol == END;
}

static int stored(Input *in, Output *out) {
    take(in, in->count & 7);
    in->at -= in->count >> 3;
    in->bits = 0, in->count = 0;
    const uint8_t *head = in->bytes + in->at;
    if (in->at + 4 > in->n || (head[0] ^ head[2]) != 255 || (head[1] ^ head[3]) != 255)
        return 0;
    size length = head[0] + 256 * head[1];
    if (length > in->n - in->at - 4 || length > out->n - out->at)
        return 0;
    memcpy(out->bytes + out->at, head + 4, (size_t)length);
    in->at += 4 + length;
    out->at += length;
    return 1;
}

/* The codes that a block begins with, or the fixed ones; returns whether they are whole. */
static int codes_of(Input *in, int fixed, Code *literals, Code *distances) {
    static const uint8_t ORDER[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + DISTANCES] = {0}, few[19] = {0};
    if (fixed) {
        for (int symbol = 0; symbol < LITERALS; symbol++)
            lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
        memset(lengths + LITERALS, 5, DISTANCES);
        return make(literals, lengths, LITERALS) && make(distances, lengths + LITERALS, DISTANCES);
    }
    int most_literals = 257 + (int)take(in, 5), most_distances = 1 + (int)take(in, 5);
    int n = most_literals + most_distances, given = 4 + (int)take(in, 4);
    if (most_literals > 286 || most_distances > 30)
        return 0;
    for (int at = 0; at < given; at++) {
        refill(in);
        few[ORDER[at]] = (uint8_t)take(in, 3);
    }
    if (!make(literals, few, 19))
        return 0;
    for (int at = 0; at < n;) {
        refill(in);
        int symbol = symbol_of(in, literals), times = 1, value = symbol;
        if (symbol < 0 || (symbol == 16 && !at))
            return 0;
        if (symbol > 15) {
            times = symbol == 16   ? 3 + (int)take(in, 2)
                    : symbol == 17 ? 3 + (int)take(in, 3)
                                   : 11 + (int)take(in, 7);
            value = symbol == 16 ? lengths[at - 1] : 0;
        }
        if (times > n - at)
            return 0;
        memset(lengths + at, value, (size_t)times);
        at += times;
    }
    int single = 1; /* or none at all: the one distance code that may be incomplete */
    for (int at = most_literals, used = 0; at < n; at++)
        single &= lengths[at] < 2 && (used += lengths[at]) < 2;
    return lengths[END] && make(literals, lengths, most_literals) &&
           (make(distances, lengths + most_literals, most_distances) || single);
}

/* The number of bytes read; -1 where they do not give exactly what out holds. */
static size inflate_all(Input *in, Output *out) {
    Code literals, distances;
    for (int last = 0; !last;) {
        refill(in);
        last = (int)take(in, 1);
        int kind = (int)take(in, 2);
        if (kind == 0 ? !stored(in, out)
                      : kind == 3 || !codes_of(in, kind == 1, &literals, &distances) ||
                            !read_block(in, out, &literals, &distances))
            return -1;
    }
    in->at -= in->count >> 3;
    return in->at <= in->n && out->at == out->n ? in->at : -1;
}

PyObject *inflate(PyObject *self, PyObject *args) {
    Py_buffer stream, pixels;
    if (!PyArg_ParseTuple(args, "y*w*:inflate", &stream, &pixels))
        return NULL;
    Input in = {stream.buf, stream.len, 0, 0, 0};
    Output out = {pixels.buf, pixels.len, 0};
    PyThreadState *state = let_go(pixels.len);
    size number = inflate_all(&in, &out);
    take_back(state);
    PyBuffer_Release(&stream);
    PyBuffer_Release(&pixels);
    return PyLong_FromSsize_t(number);
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

/* Undoes the filters of rows (height, 1 + width) into out (height, width), but leaves rows of zeros
   as they were and their used (height,) at 0. Returns whether all filters are known. */
static int lit_rows(const uint8_t *rows, size height, size width, uint8_t *out, uint8_t *used,
                    Box *box) {
    uint8_t *zeros = out + height * width, *above = zeros;
    for (size number = 0; number < height; number++, out += width) {
        const uint8_t *raw = rows + number * (width + 1) + 1;
        int filter = raw[-1];
        if (filter > 4)
            return 0;
        if (above == zeros && is_zero(raw, width))
            continue;
        undo(filter, raw, above, out, 0, width);
        size first = leading(out, width);
        above = first < width ? out : zeros;
        if (first == width)
            continue;
        used[number] = 1;
        box->top = least(box->top, number);
        box->bottom = number + 1;
        box->left = least(box->left, first);
        box->right += trailing(out + box->right, width - box->right);
    }
    return 1;
}

/* (top, left, height, width, pixels) of what is not 0; None of a filter that is unknown. */
static PyObject *part_of(const uint8_t *rows, size height, size width, uint8_t *out,
                         uint8_t *used) {
    Box box = {height, 0, width, 0};
    if (!lit_rows(rows, height, width, out, used, &box))
        Py_RETURN_NONE;
    if (!box.bottom)
        box.top = box.left = 0;
    size tall = box.bottom - box.top, wide = box.right - box.left;
    PyObject *pixels = PyByteArray_FromStringAndSize(NULL, tall * wide);
    if (!pixels)
        return NULL;
    char *to = PyByteArray_AsString(pixels);
    for (size number = box.top; number < box.bottom; number++, to += wide) {
        if (used[number])
            memcpy(to, out + number * width + box.left, (size_t)wide);
        else
            memset(to, 0, (size_t)wide);
    }
    return Py_BuildValue("(nnnnN)", box.top, box.left, tall, wide, pixels);
}

PyObject *lit(PyObject *self, PyObject *args) {
    Py_buffer rows;
    size width;
    if (!PyArg_ParseTuple(args, "y*n:lit", &rows, &width))
        return NULL;
    PyObject *result = NULL;
    if (width > 0 && width < rows.len && !(rows.len % (width + 1))) {
        size height = rows.len / (width + 1);
        uint8_t *out = malloc((size_t)((height + 1) * width)), *used = calloc((size_t)height, 1);
        if (out)
            memset(out + height * width, 0, (size_t)width);
        result = out && used ? part_of(rows.buf, height, width, out, used) : PyErr_NoMemory();
        free(out);
        free(used);
    } else {
        PyErr_SetString(PyExc_ValueError, "rows of 1 + width bytes are needed");
    }
    PyBuffer_Release(&rows);
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
