/* assert.h - what our own code must never do. On in release builds too; a peer's bytes never
 * reach one. */
#ifndef XS_BASE_ASSERT_H
#define XS_BASE_ASSERT_H

/* Writes file, line and claim to stderr and aborts. [any] */
_Noreturn void xs_assert_failed(const char *file, int line, const char *claim);

#define XS_ASSERT(claim)                                                                       \
    do {                                                                                       \
        if (!(claim))                                                                          \
            xs_assert_failed(__FILE__, __LINE__, #claim);                                      \
    } while (0)

#endif
