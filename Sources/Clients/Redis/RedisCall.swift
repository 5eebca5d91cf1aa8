import ClientRuntime

/// Commands that wait for their turn on a client's thread, and the caller that waits for their replies.
struct RedisCall: Sendable {
  let commands: [RedisCommand]
  let deadline: Deadline
  let finish: @Sendable (Result<[RedisReply], RedisError>) -> Void
}

extension Mailbox<RedisCall> {
  func failOverdueCalls() {
    for call in takeOverdue() { call.finish(.failure(.timeout)) }
  }

  func failAllCalls(_ reason: String) {
    for call in takeAll() { call.finish(.failure(.unavailable(reason))) }
  }
}
