// What Swift's Glibc module leaves out.
#include <malloc.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/// Names the calling thread (15 bytes at most), as `ps -L` and debuggers show it. `prctl` is variadic, which Swift cannot call.
static inline int name_current_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
