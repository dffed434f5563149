/* cmocka with what its header needs before it. */
#ifndef FLOE_TESTS_CMOCKA_H
#define FLOE_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#endif
