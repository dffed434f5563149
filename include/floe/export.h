/* floe/export.h - what every public declaration is marked with.
 *
 * Libraries are built with hidden visibility; a function is part of the ABI exactly when its declaration
 * carries FLOE_API. abi/libfloe.symbols lists them and a test compares the list with the built library.
 */
#ifndef FLOE_EXPORT_H
#define FLOE_EXPORT_H

/** @file
 *  Marks for public declarations. */

/** @def FLOE_API
 *  The declaration is part of the ABI; in C++ it has C linkage. */
#if defined(__cplusplus)
#define FLOE__LINKAGE extern "C"
#else
#define FLOE__LINKAGE
#endif
#if defined(FLOE_STATIC)
#define FLOE_API FLOE__LINKAGE
#elif defined(_WIN32) && defined(FLOE_BUILDING)
#define FLOE_API FLOE__LINKAGE __declspec(dllexport)
#elif defined(_WIN32)
#define FLOE_API FLOE__LINKAGE __declspec(dllimport)
#elif defined(__GNUC__)
#define FLOE_API FLOE__LINKAGE __attribute__((visibility("default")))
#else
#define FLOE_API FLOE__LINKAGE
#endif

/** @def FLOE_MUST_USE
 *  The result must be looked at: the compiler warns when it is not. */
/** @def FLOE_PRINTF
 *  The function takes a printf format at argument `f`, its values from argument `a` on. */
#if defined(__GNUC__)
#define FLOE_MUST_USE     __attribute__((warn_unused_result))
#define FLOE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define FLOE_MUST_USE
#define FLOE_PRINTF(f, a)
#endif

#endif
