/* The kernel's way to inflate (RFC 1951). Masks repeat the row above, or one byte, for long: both
   are copied in large steps. A stream that is odd in any way is refused; ISA-L, which reads them
   all, then decides. */

#include "_kernel.h"

#define LONGEST 15 /* bits of a code */
#define FAST 10 /* bits that one look into a table decodes */
#define LITERALS 288
#define DISTANCES 32
#define END 256
#define HALF ((size)16) /* bytes that are copied at once */
#define STRIDE ((size)128)
#define KEPT ((size)1 << 25) /* bytes of memory that may wait for the next mask */

/* What a code stands for: a value, bits of the code, bits of it with those that belong to it. */
#define ENTRY(value, code, all) ((uint32_t)(value) << 16 | (uint32_t)(code) << 8 | (uint32_t)(all))
#define LITERAL UINT32_C(0x8000) /* the value is a byte */
#define STOP UINT32_C(0x4000)    /* the value says whether a block ends; else it is broken */

typedef enum { OF_LENGTHS, OF_LITERALS, OF_DISTANCES } Kind;

typedef struct {
    uint32_t fast[1 << FAST]; /* entries by the next bits; 0: the code is longer, or none */
    uint16_t counts[LONGEST + 1], symbols[LITERALS];
    Kind kind;
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

static const uint16_t REPEATS[29] = {3,  4,  5,  6,  7,  8,  9,  10,  11,  13,
                                     15, 17, 19, 23, 27, 31, 35, 43,  51,  59,
                                     67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint16_t STEPS[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                   33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                   1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

static uint32_t entry_for(Kind kind, int symbol, int length) {
    if (kind == OF_LENGTHS)
        return ENTRY(symbol, length, length);
    if (kind == OF_DISTANCES) {
        int more = symbol < 2 ? 0 : symbol / 2 - 1;
        return symbol < 30 ? ENTRY(STEPS[symbol], length, length + more) : STOP;
    }
    if (symbol < END)
        return ENTRY(symbol, length, length) | LITERAL;
    if (symbol == END || symbol > 285)
        return ENTRY(symbol == END, length, length) | STOP;
    int more = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4;
    return ENTRY(REPEATS[symbol - END - 1], length, length + more);
}

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
static int make(Code *code, Kind kind, const uint8_t *lengths, int n) {
    int first[LONGEST + 2] = {0}, left = 1, reversed = 0;
    memset(code->fast, 0, sizeof code->fast);
    memset(code->counts, 0, sizeof code->counts);
    code->kind = kind;
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
            uint32_t entry = entry_for(kind, code->symbols[number], length);
            for (int at = reversed; at < 1 << FAST; at += 1 << length)
                code->fast[at] = entry;
            int bit = 1 << (length - 1);
            for (; reversed & bit; bit >>= 1)
                reversed ^= bit;
            reversed |= bit;
        }
    return left == 0;
}

/* The entry of the next code, of whatever length; STOP for none. */
static uint32_t slow_entry(uint64_t bits, const Code *code) {
    int value = 0, first = 0, index = 0;
    for (int length = 1; length <= LONGEST; length++) {
        value |= (int)(bits >> (length - 1)) & 1;
        int count = code->counts[length];
        if (value - count < first)
            return entry_for(code->kind, code->symbols[index + value - first], length);
        index += count;
        first = 2 * (first + count);
        value *= 2;
    }
    return STOP;
}

static inline uint32_t next_entry(const Input *in, const Code *code) {
    uint32_t entry = code->fast[in->bits & ((1 << FAST) - 1)];
    return entry ? entry : slow_entry(in->bits, code);
}

/* The value of the next entry with the bits that belong to it; all of them are taken. */
static inline size value_of(Input *in, uint32_t entry) {
    return (size)(entry >> 16) + (size)(take(in, entry & 63) >> (entry >> 8 & 15));
}

/* Repeats length bytes from distance bytes before; both fit. */
static inline void repeat(Output *out, size length, size distance) {
    uint8_t *to = out->bytes + out->at, *end = to + length;
    const uint8_t *from = to - distance;
    out->at += length;
    if (out->n - out->at < STRIDE || (distance < HALF && distance > 1)) {
        while (to < end)
            *to++ = *from++;
    } else if (distance == 1) {
        uint64_t run = spread(*from);
        for (; to < end; to += STRIDE) /* beyond the end, which is written later */
            for (size at = 0; at < STRIDE; at += WORD)
                memcpy(to + at, &run, 8);
    } else {
        for (; to < end; to += STRIDE, from += STRIDE)
            for (size at = 0; at < STRIDE; at += HALF) {
                uint64_t first = word(from + at), second = word(from + at + WORD);
                memcpy(to + at, &first, 8);
                memcpy(to + at + WORD, &second, 8);
            }
    }
}

/* Copies of both are kept at hand: what is written through a pointer to bytes might be them. */
static int read_block(Input *input, Output *output, const Code *literals, const Code *distances) {
    Input in = *input;
    Output out = *output;
    uint32_t entry;
    for (;;) {
        refill(&in);
        entry = next_entry(&in, literals);
        for (int more = 2; entry & LITERAL && out.at < out.n; more--) {
            out.bytes[out.at++] = (uint8_t)(entry >> 16);
            take(&in, entry & 15);
            if (!more)
                refill(&in), more = 3;
            entry = next_entry(&in, literals);
        }
        if (entry & (LITERAL | STOP))
            break;
        size length = value_of(&in, entry);
        if (in.count < 2 * LONGEST)
            refill(&in);
        entry = next_entry(&in, distances);
        if (entry & STOP)
            return 0;
        size distance = value_of(&in, entry);
        if (distance > out.at || length > out.n - out.at)
            return 0;
        repeat(&out, length, distance);
    }
    take(&in, entry & 15);
    *input = in;
    *output = out;
    return (entry & STOP) && entry >> 16;
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

/* Lengths (n,) of codes, packed as few (19,) says; returns whether they are whole. */
static int lengths_of(Input *in, const uint8_t *few, uint8_t *lengths, int n) {
    Code code;
    if (!make(&code, OF_LENGTHS, few, 19))
        return 0;
    for (int at = 0; at < n;) {
        refill(in);
        uint32_t entry = next_entry(in, &code);
        int symbol = (int)value_of(in, entry), times = 1, value = symbol;
        if (entry & STOP || (symbol == 16 && !at))
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
        return make(literals, OF_LITERALS, lengths, LITERALS) &&
               make(distances, OF_DISTANCES, lengths + LITERALS, DISTANCES);
    }
    int most_literals = 257 + (int)take(in, 5), most_distances = 1 + (int)take(in, 5);
    int n = most_literals + most_distances, given = 4 + (int)take(in, 4);
    if (most_literals > 286 || most_distances > 30)
        return 0;
    for (int at = 0; at < given; at++) {
        refill(in);
        few[ORDER[at]] = (uint8_t)take(in, 3);
    }
    if (!lengths_of(in, few, lengths, n))
        return 0;
    int single = 1; /* or none at all: the one distance code that may be incomplete */
    for (int at = most_literals, used = 0; at < n; at++)
        single &= lengths[at] < 2 && (used += lengths[at]) < 2;
    return lengths[END] && make(literals, OF_LITERALS, lengths, most_literals) &&
           (make(distances, OF_DISTANCES, lengths + most_literals, most_distances) || single);
}

size inflated(const uint8_t *stream, size n, uint8_t *bytes, size needed) {
    Input in = {stream, n, 0, 0, 0};
    Output out = {bytes, needed, 0};
    Code literals, distances;
    for (int last = 0; !last;) {
        refill(&in);
        last = (int)take(&in, 1);
        int kind = (int)take(&in, 2);
        if (kind == 0 ? !stored(&in, &out)
                      : kind == 3 || !codes_of(&in, kind == 1, &literals, &distances) ||
                            !read_block(&in, &out, &literals, &distances))
            return -1;
    }
    in.at -= in.count >> 3;
    return in.at <= n && out.at == needed ? in.at : -1;
}

static Memory kept; /* where the last mask was inflated: new memory would have to be cleared */

Memory take_memory(size n) {
    Memory memory = kept;
    kept = (Memory){NULL, 0};
    if (memory.n >= n)
        return memory;
    free(memory.bytes);
    return (Memory){malloc((size_t)n), n};
}

void give_memory(Memory memory) {
    if (kept.bytes || memory.n > KEPT)
        free(memory.bytes);
    else
        kept = memory;
}

PyObject *inflate(PyObject *self, PyObject *args) {
    Py_buffer stream, pixels;
    if (!PyArg_ParseTuple(args, "y*w*:inflate", &stream, &pixels))
        return NULL;
    PyThreadState *state = let_go(pixels.len);
    size number = inflated(stream.buf, stream.len, pixels.buf, pixels.len);
    take_back(state);
    PyBuffer_Release(&stream);
    PyBuffer_Release(&pixels);
    return PyLong_FromSsize_t(number);
}
