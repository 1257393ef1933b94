/* The contract pointsman:policy@0.1.0, as C sees it: what a core module of the world `selector` exports, and how values lie in its memory.
 *
 * Layouts follow the component model's canonical ABI for wasm32. Every type is described in wit/policy.wit; here are only its bytes.
 */
#ifndef POINTSMAN_POLICY_H
#define POINTSMAN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct { const char *data; uint32_t len; } text_t;
typedef struct { const text_t *data; uint32_t len; } texts_t;
#define TEXT(literal) ((text_t){(literal), sizeof(literal) - 1})

/* -- types -- */

enum { COLUMN_NUMBERS, COLUMN_COUNTS, COLUMN_MARKS, COLUMN_SYMBOLS };
typedef struct {
    uint8_t kind;
    union { const double *numbers; const uint64_t *counts; const uint8_t *marks; const uint64_t *symbols; } as;
    uint32_t len;
} column_t;

enum { FACT_UNKNOWN, FACT_NUMBER, FACT_COUNT, FACT_MARK, FACT_SYMBOL };
typedef struct {
    uint8_t kind;
    union { double number; uint64_t count; uint8_t mark; uint64_t symbol; } as;
} fact_t;

typedef struct { uint32_t row; uint16_t reason; double value; } exclusion_t;
typedef struct { const exclusion_t *data; uint32_t len; } exclusions_t;
typedef struct { const uint32_t *data; uint32_t len; } rows_t;
typedef struct { const double *data; uint32_t len; } numbers_t;
typedef struct { uint16_t status; uint16_t reason; text_t message; } refusal_t;

/* -- policy -- */

typedef struct { text_t name, version, summary, settings_schema; } description_t;

enum { VALUE_BOOL, VALUE_INTEGER, VALUE_NUMBER, VALUE_TEXT, VALUE_TEXTS, VALUE_NUMBERS };
typedef struct { text_t text; uint64_t symbol; } symbol_t;
typedef struct {
    text_t key;
    uint8_t kind;
    union {
        uint8_t yes; int64_t integer; double number; symbol_t text;
        struct { const symbol_t *data; uint32_t len; } texts;
        numbers_t numbers;
    } as;
} setting_t;

typedef struct { text_t text; uint8_t has_column; uint16_t column; } cause_t;
typedef struct { text_t key, message; } problem_t;
typedef struct {
    uint8_t is_err;
    union {
        struct { texts_t columns, facts; struct { const cause_t *data; uint32_t len; } causes; } plan;
        struct { const problem_t *data; uint32_t len; } problems;
    } as;
} configured_t;

/* -- selection -- */

enum { VERDICT_ABSTAIN, VERDICT_EXCLUDE, VERDICT_SCORE, VERDICT_ORDER, VERDICT_HEDGE, VERDICT_REJECT };
typedef struct {
    uint8_t kind;
    union {
        exclusions_t exclude;
        struct { exclusions_t excluded; numbers_t scores; } score;
        struct { exclusions_t excluded; rows_t order; } order;
        uint32_t hedge_ms;
        refusal_t reject;
    } as;
} verdict_t;

/* The layouts are the contract: a compiler that disagrees must not build a policy. */
_Static_assert(sizeof(column_t) == 12 && sizeof(fact_t) == 16 && sizeof(exclusion_t) == 16, "types");
_Static_assert(sizeof(setting_t) == 32 && offsetof(setting_t, as) == 16, "settings");
_Static_assert(sizeof(cause_t) == 12 && sizeof(configured_t) == 28 && sizeof(verdict_t) == 20, "answers");

#endif
