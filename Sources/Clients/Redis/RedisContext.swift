import CHiredis
import ClientRuntime
import Glibc

/// Owns one hiredis context in non-blocking mode; confined to the client's thread, and thrown away after its first error or timeout, so
/// that a late reply can never be taken for another call's.
final class RedisContext {
  private let context: UnsafeMutablePointer<redisContext>
  private let mailbox: Mailbox<RedisCall>

  /// Starts to connect to a numeric address.
  init(address: String, port: UInt16, mailbox: Mailbox<RedisCall>) throws(RedisError) {
    guard let context = redisConnectNonBlock(address, Int32(port)) else { throw .unavailable("out of memory") }
    self.context = context
    self.mailbox = mailbox
    if context.pointee.err != 0 { throw .unavailable(lastError) }
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
  }

  deinit { redisFree(context) }

  var socket: Int32 { context.pointee.fd }

  /// `look` is called at each wake-up, as in `Mailbox.wait`; the closing of the mailbox ends the wait.
  func finishConnecting(by deadline: Deadline, look: () -> Void) throws(RedisError) {
    guard mailbox.wait(socket: socket, wantsWrite: true, until: deadline, isOver: { mailbox.isClosing }, look: look) != nil else {
      throw .unavailable(mailbox.isClosing ? "the client is closed" : "no connection within the connect timeout")
    }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    if getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0 { throw .unavailable(String(cString: strerror(code))) }
    _ = redisEnableKeepAlive(context)
  }

  /// Sends all commands and returns their replies in that order. After an error the context must not be used again.
  func exchange(_ commands: [RedisCommand], by deadline: Deadline, isOver: () -> Bool = { false }, look: () -> Void) throws(RedisError) -> [RedisReply] {
    for command in commands where !command.append(to: context) { throw .connectionLost(lastError) }
    var replies: [RedisReply] = []
    replies.reserveCapacity(commands.count)
    var unsent = true
    while true {
      if unsent {
        var done: Int32 = 0
        guard redisBufferWrite(context, &done) == REDIS_OK else { throw .connectionLost(lastError) }
        unsent = done == 0
      }
      while replies.count < commands.count, let reply = try nextReply() { replies.append(reply) }
      if replies.count == commands.count { return replies }
      guard let ready = mailbox.wait(socket: socket, wantsWrite: unsent, until: deadline, isOver: isOver, look: look) else { throw .timeout }
      if ready.socketReadable, redisBufferRead(context) != REDIS_OK { throw .connectionLost(lastError) }
    }
  }

  private func nextReply() throws(RedisError) -> RedisReply? {
    var reply: UnsafeMutableRawPointer?
    guard redisGetReplyFromReader(context, &reply) == REDIS_OK else { throw .connectionLost(lastError) }
    guard let reply else { return nil }
    defer { freeReplyObject(reply) }
    return RedisReply(reply.assumingMemoryBound(to: redisReply.self))
  }

  private var lastError: String {
    withUnsafeBytes(of: context.pointee.errstr) { bytes in
      let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return text.isEmpty ? "the connection failed" : text
    }
  }
}
