// Swift's Mutex takes and leaves an uncontended lock by atomics that the thread sanitizer sees, but waits for a contended one by a futex that
// it does not see: each access after such a wait would be reported as a race. In the sanitizer's builds this replaces the wait (the linker
// prefers it to the library's) by one on the same word that is seen. The word is 0 when free, else the holder's thread id.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define WORD __attribute__((swift_context)) _Atomic(uint32_t) *word // where Swift passes a method's self

__attribute__((swiftcall)) void lockSlow(uint32_t self, WORD) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
__attribute__((swiftcall)) void lockSlow(uint32_t self, WORD) {
  for (uint32_t free = 0; !atomic_compare_exchange_weak_explicit(word, &free, self, memory_order_acquire, memory_order_relaxed); free = 0) {
    if (free == self) abort(); // locked twice by one thread
    sched_yield();
  }
}

// Nobody waits in the kernel, so a lock is always left on the fast way.
__attribute__((swiftcall)) void unlockSlow(WORD) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
__attribute__((swiftcall)) void unlockSlow(WORD) { (void)word; abort(); }
#endif
#endif
