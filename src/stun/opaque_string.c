#include "stun/opaque_string.h"

#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* --- RFC 8264: may a code point stand in the FreeformClass ----------------------------------------------------------
 */

/* The string as code points: contextual rules look at neighbours and at the whole (the "label" of RFC 5892). */
typedef struct label {
  const uint32_t *cp;
  size_t n;
} label;

typedef struct range {
  uint32_t first, last;
} range;

static bool is_in(const range *ranges, size_t n, uint32_t cp) {
  for (size_t i = 0; i < n; i++) {
    if (cp >= ranges[i].first && cp <= ranges[i].last) return true;
  }
  return false;
}
#define IS_IN(ranges, cp) is_in(ranges, sizeof(ranges) / sizeof(ranges)[0], cp)

/* RFC 8264 9.6 (RFC 5892 2.6): exceptions that the categories would have let pass. Those that are always valid are so
 * by category in the FreeformClass. */
static const range exceptions[] = {
    {0x0640, 0x0640}, {0x07FA, 0x07FA}, {0x302E, 0x302F}, {0x3031, 0x3035}, {0x303B, 0x303B}};

/* RFC 8264 9.9: conjoining Hangul jamo. */
static const range old_hangul_jamo[] = {{0x1100, 0x11FF}, {0xA960, 0xA97C}, {0xD7B0, 0xD7C6}, {0xD7CB, 0xD7FB}};

static const range arabic_indic_digits[] = {{0x0660, 0x0669}};
static const range extended_arabic_indic_digits[] = {{0x06F0, 0x06F9}};

static bool is_script(const label *l, size_t i, const char *name) {
  const uc_script_t *script = i < l->n ? uc_script(l->cp[i]) : NULL;
  return script != NULL && strcmp(script->name, name) == 0;
}

static bool is_kana_or_han(const label *l, size_t i) {
  return is_script(l, i, "Hiragana") || is_script(l, i, "Katakana") || is_script(l, i, "Han");
}

/* Past every transparent character from i on in steps of `step` (1 or SIZE_MAX: backwards). */
static int joining_type_beyond(const label *l, size_t i, size_t step) {
  for (i += step; i < l->n; i += step) {
    int type = uc_joining_type(l->cp[i]);
    if (type != UC_JOINING_TYPE_T) return type;
  }
  return UC_JOINING_TYPE_U;
}

static bool follows_virama(const label *l, size_t i) {
  return i > 0 && uc_combining_class(l->cp[i - 1]) == UC_CCC_VR;
}

/* RFC 5892 A.1: (Joining_Type:{L,D})(Joining_Type:T)* ZWNJ (Joining_Type:T)*(Joining_Type:{R,D}) */
static bool is_between_joining(const label *l, size_t i) {
  int before = joining_type_beyond(l, i, SIZE_MAX);
  int after = joining_type_beyond(l, i, 1);
  return (before == UC_JOINING_TYPE_L || before == UC_JOINING_TYPE_D) &&
         (after == UC_JOINING_TYPE_R || after == UC_JOINING_TYPE_D);
}

static bool has_any(const label *l, const range *digits) {
  for (size_t i = 0; i < l->n; i++) {
    if (is_in(digits, 1, l->cp[i])) return true;
  }
  return false;
}

static bool has_kana_or_han(const label *l) {
  for (size_t i = 0; i < l->n; i++) {
    if (l->cp[i] != 0x30FB && is_kana_or_han(l, i)) return true;
  }
  return false;
}

/* RFC 5892 appendix A. True as well for what has no contextual rule. */
static bool is_allowed_here(const label *l, size_t i) {
  uint32_t cp = l->cp[i];
  switch (cp) {
    case 0x200C: return follows_virama(l, i) || is_between_joining(l, i); /* A.1 ZERO WIDTH NON-JOINER */
    case 0x200D: return follows_virama(l, i);                             /* A.2 ZERO WIDTH JOINER */
    case 0x00B7: return i > 0 && l->cp[i - 1] == 'l' && i + 1 < l->n && l->cp[i + 1] == 'l'; /* A.3 MIDDLE DOT */
    case 0x0375: return is_script(l, i + 1, "Greek");           /* A.4 GREEK LOWER NUMERAL SIGN */
    case 0x05F3:                                                /* A.5 HEBREW PUNCTUATION GERESH */
    case 0x05F4: return i > 0 && is_script(l, i - 1, "Hebrew"); /* A.6 HEBREW PUNCTUATION GERSHAYIM */
    case 0x30FB: return has_kana_or_han(l);                     /* A.7 KATAKANA MIDDLE DOT */
    default: break;
  }
  if (IS_IN(arabic_indic_digits, cp)) return !has_any(l, extended_arabic_indic_digits); /* A.8 */
  if (IS_IN(extended_arabic_indic_digits, cp)) return !has_any(l, arabic_indic_digits); /* A.9 */
  return true;
}

static bool is_join_control(uint32_t cp) {
  return cp == 0x200C || cp == 0x200D;
}

/* RFC 8264 9.1, 9.14 to 9.18: letters, marks, digits and numbers, spaces, symbols, punctuation. What is left over are
 * controls, format characters, surrogates, private use, line and paragraph separators, and what is unassigned. That
 * HasCompat (9.17) characters are free adds none: all are of these categories. */
#define FREEFORM_CATEGORIES                                                                                  \
  (UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S | \
   UC_CATEGORY_MASK_P)

/* The order is that of RFC 8264 8. */
static bool is_freeform(const label *l, size_t i) {
  uint32_t cp = l->cp[i];
  if (IS_IN(exceptions, cp)) return false;
  if (!is_allowed_here(l, i)) return false;
  if (cp >= 0x21 && cp <= 0x7E) return true; /* 9.11 ASCII7 */
  if (is_join_control(cp)) return true;      /* its context is right */
  if (IS_IN(old_hangul_jamo, cp)) return false;
  if (uc_is_property_default_ignorable_code_point(cp) || uc_is_property_not_a_character(cp)) return false; /* 9.13 */
  return uc_is_general_category_withtable(cp, FREEFORM_CATEGORIES);
}

/* The index of the first code point that may not stand where it does; the length when there is none. */
static size_t find_disallowed(const label *l) {
  for (size_t i = 0; i < l->n; i++) {
    if (!is_freeform(l, i)) return i;
  }
  return l->n;
}

/* --- RFC 8265 4.2 ---------------------------------------------------------------------------------------------------
 */

/* NFC makes at most three code points of one (U+1D160): libunistring's result fits and it need not allocate one. */
#define NFC_GROWTH 3

/* The steps share buffers of the env's, which hold secrets. */
typedef struct work {
  floe_env *env;
  const char *text;
  size_t len;      /* bytes of text */
  uint32_t *input; /* len code points at most */
  size_t n_input;
  uint32_t *nfc; /* n_input * NFC_GROWTH at most */
  size_t n_nfc;
  char *utf8;
  size_t utf8_cap;
} work;

static void clear(work *w) {
  floe__free_secret(w->env, w->input, w->len * sizeof *w->input);
  floe__free_secret(w->env, w->nfc, w->n_input * NFC_GROWTH * sizeof *w->nfc);
  floe__free_secret(w->env, w->utf8, w->utf8_cap);
}

static size_t offset_of(const work *w, size_t index) {
  size_t offset = 0;
  for (size_t i = 0; i < index; i++) {
    ucs4_t cp;
    offset += (size_t)u8_mbtoucr(&cp, (const uint8_t *)w->text + offset, w->len - offset);
  }
  return offset;
}

/* Reads the code points and applies the additional mapping rule: "any instances of non-ASCII space MUST be mapped to
 * ASCII space" (RFC 8265 4.2.2). */
static floe__opaque_string_result decode(work *w, size_t *offset) {
  w->input = floe__alloc(w->env, w->len * sizeof *w->input);
  if (w->input == NULL) return FLOE__OPAQUE_NOMEM;
  for (size_t at = 0; at < w->len;) {
    ucs4_t cp;
    int n = u8_mbtoucr(&cp, (const uint8_t *)w->text + at, w->len - at);
    if (n < 0) {
      *offset = at;
      return FLOE__OPAQUE_NOT_UTF8;
    }
    w->input[w->n_input++] = uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Zs) ? ' ' : cp;
    at += (size_t)n;
  }
  return FLOE__OPAQUE_OK;
}

static floe__opaque_string_result normalize(work *w) {
  size_t cap = w->n_input * NFC_GROWTH;
  w->nfc = floe__alloc(w->env, cap * sizeof *w->nfc);
  if (w->nfc == NULL) return FLOE__OPAQUE_NOMEM;
  size_t n = cap;
  uint32_t *result = u32_normalize(UNINORM_NFC, w->input, w->n_input, w->nfc, &n);
  if (result != w->nfc) return FLOE__OPAQUE_NOMEM; /* it needs memory of its own for more than 64 marks in a row */
  w->n_nfc = n;
  return FLOE__OPAQUE_OK;
}

static size_t first_difference(const work *w) {
  size_t i = 0;
  while (i < w->n_input && i < w->n_nfc && w->input[i] == w->nfc[i]) i++;
  return i < w->n_input ? i : 0;
}

/* What comes in must be of the class (4.2.1), and what comes out: U+0387 becomes the middle dot, which has a rule. */
static floe__opaque_string_result check(const work *w, size_t *offset) {
  label input = {w->input, w->n_input};
  size_t bad = find_disallowed(&input);
  if (bad < input.n) {
    *offset = offset_of(w, bad);
    return FLOE__OPAQUE_DISALLOWED;
  }
  label nfc = {w->nfc, w->n_nfc};
  if (find_disallowed(&nfc) == nfc.n) return FLOE__OPAQUE_OK;
  *offset = offset_of(w, first_difference(w));
  return FLOE__OPAQUE_DISALLOWED;
}

static floe__opaque_string_result encode(work *w) {
  w->utf8_cap = w->n_nfc * 4 + 1;
  w->utf8 = floe__alloc(w->env, w->utf8_cap);
  if (w->utf8 == NULL) return FLOE__OPAQUE_NOMEM;
  size_t at = 0;
  for (size_t i = 0; i < w->n_nfc; i++) {
    at += (size_t)u8_uctomb((uint8_t *)w->utf8 + at, w->nfc[i], (ptrdiff_t)(w->utf8_cap - at));
  }
  w->utf8[at] = '\0';
  return FLOE__OPAQUE_OK;
}

floe__opaque_string_result floe__opaque_string(floe_env *env, const char *text, char **out, size_t *offset) {
  *out = NULL;
  *offset = 0;
  work w = {.env = env, .text = text, .len = strlen(text)};
  if (w.len == 0) return FLOE__OPAQUE_EMPTY; /* RFC 8265 4.2.2: "a zero-length password is not allowed" */
  floe__opaque_string_result result = decode(&w, offset);
  if (result == FLOE__OPAQUE_OK) result = normalize(&w);
  if (result == FLOE__OPAQUE_OK) result = check(&w, offset);
  if (result == FLOE__OPAQUE_OK) result = encode(&w);
  if (result == FLOE__OPAQUE_OK) {
    *out = w.utf8;
    w.utf8 = NULL;
  }
  clear(&w);
  return result;
}
