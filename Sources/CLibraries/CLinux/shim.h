// What Swift's Glibc module leaves out.
#include <malloc.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/// Names the calling thread (15 bytes at most), as `ps -L` and debuggers show it. `prctl` is variadic, which Swift cannot call.
static inline int name_current_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/// From glibc 2.34 on; its header shows it only with `_GNU_SOURCE`.
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);

/// Columns of the terminal behind a descriptor, 0 where there is none. `ioctl` is variadic, which Swift cannot call.
static inline int terminal_columns(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
