import Glibc

/// A descriptor that becomes readable when another thread wants attention: a pipe to oneself, to stand beside a socket in `poll`.
/// (`eventfd` would do with one descriptor, but its header is not part of Swift's Glibc module.)
public final class Wakeup: Sendable {
  public let descriptor: Int32
  private let writeEnd: Int32

  public init() {
    var ends: (Int32, Int32) = (-1, -1)
    let code = withUnsafeMutableBytes(of: &ends) { pipe2($0.baseAddress!.assumingMemoryBound(to: Int32.self), O_NONBLOCK | O_CLOEXEC) }
    precondition(code == 0, "pipe2 failed: errno \(errno)")
    (descriptor, writeEnd) = ends
  }

  deinit {
    close(descriptor)
    close(writeEnd)
  }

  /// A full pipe refuses the byte, and is readable already.
  public func signal() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }

  /// Takes back all signals so far.
  public func clear() {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) {
      while read(descriptor, $0.baseAddress, 512) == 512 {}
    }
  }
}

/// Which of the two descriptors had something to say.
public struct PollResult: Sendable, Equatable {
  public var socketReadable = false
  public var socketWritable = false
  public var wokenUp = false
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
