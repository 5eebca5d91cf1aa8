import Glibc

/// A value that threads reach one at a time.
///
/// Over pthread's mutex, because Synchronization's `Mutex` on Linux hands a contended lock over inside the kernel, where the thread
/// sanitizer does not see it: it then reports races that are none.
public final class Locked<Value: Sendable>: @unchecked Sendable {
  // Sendable: `value` is touched with the mutex held only.
  @usableFromInline let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  @usableFromInline var value: Value

  public init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  // A copy of this in each client's module is compiled for its own types.
  @inlinable
  public func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
