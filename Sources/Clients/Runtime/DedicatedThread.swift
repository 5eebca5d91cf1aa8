import CLinux
import Glibc

/// A thread of one's own for a C library that blocks, so that Swift's cooperative pool never does.
///
/// The body runs once, on the new thread, and the thread ends when it returns. `stackSize` is in bytes; the default is what
/// librabbitmq's recursive decoding of nested tables needs.
public final class DedicatedThread: Sendable {
  private let finished = Locked<(done: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

  public init(name: String, stackSize: Int = 16 << 20, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(
      Start(name: name) {
        body()
        self.finish()
      })
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        _ = name_current_thread(start.name)
        start.body()
        return nil
      }, box.toOpaque())
    pthread_attr_destroy(&attributes)
    precondition(code == 0, "pthread_create failed: \(code)")
  }

  /// Returns when the thread's body has returned.
  public func join() async {
    await withCheckedContinuation { continuation in
      let done = finished.withLock {
        if !$0.done { $0.waiters.append(continuation) }
        return $0.done
      }
      if done { continuation.resume() }
    }
  }

  private func finish() {
    let waiters = finished.withLock { state in
      state.done = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
