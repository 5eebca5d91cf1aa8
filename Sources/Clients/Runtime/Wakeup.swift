import CLinux
import Glibc

/// A descriptor that becomes readable when another thread wants attention: an `eventfd`, to stand beside a socket in `poll`.
public final class Wakeup: Sendable {
  public let descriptor: Int32

  public init() {
    descriptor = eventfd(0, O_NONBLOCK | O_CLOEXEC)  // EFD_NONBLOCK and EFD_CLOEXEC are these
    precondition(descriptor >= 0, "eventfd failed: errno \(errno)")
  }

  deinit { close(descriptor) }

  public func signal() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Takes back all signals so far.
  public func clear() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

/// Which of the two descriptors had something to say.
public struct PollResult: Sendable, Equatable {
  public var socketReadable = false
  public var socketWritable = false
  public var wokenUp = false

  public init(socketReadable: Bool = false, socketWritable: Bool = false, wokenUp: Bool = false) {
    self.socketReadable = socketReadable
    self.socketWritable = socketWritable
    self.wokenUp = wokenUp
  }
}

/// Waits for a socket, a wake-up or the deadline, whichever is first; a negative `socket` is left out.
public func poll(socket: Int32, wantsWrite: Bool = false, wakeup: Wakeup?, until deadline: Deadline) -> PollResult {
  var descriptors = (
    pollfd(fd: socket, events: Int16(POLLIN) | (wantsWrite ? Int16(POLLOUT) : 0), revents: 0),
    pollfd(fd: wakeup?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
  )
  while true {
    let ready = withUnsafeMutableBytes(of: &descriptors) {
      Glibc.poll($0.baseAddress!.assumingMemoryBound(to: pollfd.self), 2, deadline.pollTimeout)
    }
    if ready < 0 && errno == EINTR { continue }
    let failed = Int16(POLLERR) | Int16(POLLHUP) | Int16(POLLNVAL)
    return PollResult(
      socketReadable: descriptors.0.revents & (Int16(POLLIN) | failed) != 0,
      socketWritable: descriptors.0.revents & Int16(POLLOUT) != 0,
      wokenUp: descriptors.1.revents & Int16(POLLIN) != 0)
  }
}
