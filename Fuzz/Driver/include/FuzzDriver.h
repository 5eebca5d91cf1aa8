#include <stddef.h>
#include <stdint.h>

/// libFuzzer, without the `main` that it would bring along: it gives `callback` one input after the other, and ends the process.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
