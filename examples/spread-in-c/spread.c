/* Spreads jobs over the orchestrators that are about as fast as the fastest one.
 *
 * Everybody whose median latency is within `band` of the best median gets an equal chance, by the job's seed; the others follow in the order of
 * their latency, as the failover list, and those that rest after a fault come last. Who holds the stream keeps it while it is in the band. An unknown
 * latency counts as the best: newcomers are tried.
 */
#include "policy.h"

enum { FIT, INCUMBENT, LATENCY, REST, COLUMNS };
enum { UNFIT, CAUSES };

static double band = 0.25;

/* -- memory: one arena, empty again after each answer -- */

extern uint8_t __heap_base;
static uintptr_t next;

static void *allocate(size_t size, size_t align) {
    if (!next) next = (uintptr_t)&__heap_base;
    uintptr_t from = (next + align - 1) & ~(uintptr_t)(align - 1);
    size_t have = __builtin_wasm_memory_size(0) << 16;
    if (size > SIZE_MAX - from) __builtin_trap();
    if (from + size > have && __builtin_wasm_memory_grow(0, (from + size - have + 0xffff) >> 16) == (size_t)-1)
        __builtin_trap();
    next = from + size;
    return (void *)from;
}

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    uint8_t *to = allocate(size, align);
    for (size_t i = 0; i < old_size && i < size; i++) to[i] = ((uint8_t *)old)[i];
    return to;
}

static void forget(void) { next = 0; }

/* -- policy -- */

EXPORT("pointsman:policy/policy@0.1.0#describe")
const description_t *describe(void) {
    static const description_t description = {
        TEXT("spread"), TEXT("0.1.0"), TEXT("An equal chance for everybody who is about as fast as the fastest"),
        TEXT("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"band\":{\"type\":\"number\",\"minimum\":0,"
             "\"description\":\"How much slower than the best median latency is still as good, as a share of it; 0.25 by default\"}}}"),
    };
    return &description;
}

static bool is(text_t text, const char *name) {
    uint32_t i = 0;
    while (i < text.len && name[i] && text.data[i] == name[i]) i++;
    return i == text.len && !name[i];
}

static const configured_t *problem(text_t key, text_t message) {
    static problem_t problem;
    static configured_t answer;
    problem = (problem_t){key, message};
    answer.is_err = 1;
    answer.as.problems.data = &problem;
    answer.as.problems.len = 1;
    return &answer;
}

EXPORT("pointsman:policy/policy@0.1.0#configure")
const configured_t *configure(const char *hook, uint32_t hook_len, const setting_t *settings, uint32_t len) {
    static const text_t columns[COLUMNS] = {TEXT("fit"), TEXT("incumbent"), TEXT("latency-ms/p50"), TEXT("rest-ms")};
    static const cause_t causes[CAUSES] = {{TEXT("cannot do this job"), 0, 0}};
    static configured_t answer;

    if (!is((text_t){hook, hook_len}, "selection")) return problem(TEXT(""), TEXT("spread has only the selection hook"));
    for (uint32_t i = 0; i < len; i++) {
        if (!is(settings[i].key, "band")) return problem(settings[i].key, TEXT("there is no such setting; spread has only `band`"));
        if (settings[i].kind == VALUE_NUMBER) band = settings[i].as.number;
        else if (settings[i].kind == VALUE_INTEGER) band = (double)settings[i].as.integer;
        else return problem(TEXT("band"), TEXT("write a number, such as 0.25"));
        if (!(band >= 0)) return problem(TEXT("band"), TEXT("write a number that is not negative, such as 0.25"));
    }
    answer.as.plan.columns = (texts_t){columns, COLUMNS};
    answer.as.plan.causes.data = causes;
    answer.as.plan.causes.len = CAUSES;
    return &answer;
}

EXPORT("cabi_post_pointsman:policy/policy@0.1.0#configure")
void configured(const configured_t *answer) { forget(); }

/* -- selection -- */

/* The job's seed, drawn from by SplitMix64. */
static uint64_t draw(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t c = *a;
    *a = *b;
    *b = c;
}

/* Heap sort: no recursion, and its cost does not depend on who is in which order. */
static void sort(uint32_t *rows, uint32_t len, const double *by) {
    for (uint32_t start = len / 2, end = len; end > 1;) {
        if (start) start--;
        else swap(&rows[0], &rows[--end]);
        for (uint32_t at = start, child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && by[rows[child + 1]] > by[rows[child]]) child++;
            if (!(by[rows[child]] > by[rows[at]])) break;
            swap(&rows[at], &rows[child]);
        }
    }
}

EXPORT("pointsman:policy/selection@0.1.0#judge")
const verdict_t *judge(uint64_t now_ms, uint64_t seed, uint64_t workload, uint64_t capability, uint64_t model, uint64_t affinity,
                       uint32_t deadline_ms, uint64_t units, const fact_t *facts, uint32_t facts_len, uint32_t rows, const column_t *columns,
                       uint32_t columns_len) {
    static verdict_t verdict;
    const uint8_t *fit = columns[FIT].as.marks, *incumbent = columns[INCUMBENT].as.marks;
    exclusion_t *excluded = allocate(rows * sizeof *excluded, 8);
    uint32_t *order = allocate(rows * sizeof *order, 4);
    double *ms = allocate(rows * sizeof *ms, 8);
    uint32_t able = 0, unfit = 0, close = 0;
    double best = __builtin_inf();

    for (uint32_t row = 0; row < rows; row++) {
        if (fit[row] != 1) {
            excluded[unfit++] = (exclusion_t){row, UNFIT, __builtin_nan("")};
            continue;
        }
        order[able++] = row;
        double known = columns[LATENCY].as.numbers[row];
        ms[row] = columns[REST].as.counts[row] ? __builtin_inf() : known >= 0 ? known : 0;
        if (known >= 0 && ms[row] < best) best = known;
    }
    sort(order, able, ms);
    while (close < able && ms[order[close]] < __builtin_inf() && ms[order[close]] <= best * (1 + band)) close++;
    for (uint32_t left = close; left > 1; left--) swap(&order[left - 1], &order[draw(&seed) % left]);
    for (uint32_t at = 1; at < close; at++)
        if (incumbent[order[at]] == 1) swap(&order[0], &order[at]);

    verdict.kind = VERDICT_ORDER;
    verdict.as.order.excluded = (exclusions_t){excluded, unfit};
    verdict.as.order.order = (rows_t){order, able};
    return &verdict;
}

EXPORT("cabi_post_pointsman:policy/selection@0.1.0#judge")
void judged(const verdict_t *verdict) { forget(); }
