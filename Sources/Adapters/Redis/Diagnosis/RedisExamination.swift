import ClientRuntime
import RedisClient

/// What a server of Redis says of itself, as far as the cache depends on it. Nothing of it is judged here.
package struct RedisFacts: Sendable, Equatable {
  package var server = ""
  package var version = ""
  package var isReplica = false
  /// In bytes; 0 is no limit. Nil where the user may not ask.
  package var maxmemory: Int64?
  package var evictionPolicy: String?
  package var latency = Duration.zero
  package var clock: ClockReading?
  /// Commands of the cache that Redis refused, each with its words.
  package var refused: [String] = []

  package init() {}
}

/// Reads a server's facts, and tries what the cache does on one key of its own, which lives a second at most.
package struct RedisExamination: Sendable {
  private let client: RedisClient
  private let prefix: String

  package init(client: RedisClient, prefix: String) {
    self.client = client
    self.prefix = prefix
  }

  package func facts(deadline: Deadline) async throws(RedisError) -> RedisFacts {
    var facts = RedisFacts()
    if case .connected(let server) = client.state { facts.server = server }
    let info = try await client.pipeline([RedisCommand("INFO", "all")], deadline: deadline)[0]
    if let bytes = info.bytes { Self.read(String(decoding: bytes, as: UTF8.self), &facts) }
    try await readTime(&facts, deadline)
    try await tryCommands(&facts, deadline)
    return facts
  }

  private static func read(_ info: String, _ facts: inout RedisFacts) {
    var values: [Substring: String] = [:]
    for line in info.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      values[line[..<colon]] = String(line[line.index(after: colon)...])
    }
    facts.version = values["redis_version"] ?? ""
    facts.isReplica = values["role"] == "slave"
    facts.maxmemory = values["maxmemory"].flatMap { Int64($0) }
    facts.evictionPolicy = values["maxmemory_policy"]
  }

  /// The shortest of some round trips: one alone may have met a hiccup.
  private func readTime(_ facts: inout RedisFacts, _ deadline: Deadline) async throws(RedisError) {
    var shortest: Duration?
    for _ in 0..<5 {
      let (began, before) = (ContinuousClock.now, ClockReading.wallClock)
      let reply = try await client.pipeline([RedisCommand("TIME")], deadline: deadline)[0]
      let took = ContinuousClock.now - began
      if let shortest, took >= shortest { continue }
      shortest = took
      guard case .array(let parts) = reply, parts.count == 2, let seconds = Self.number(parts[0]), let microseconds = Self.number(parts[1]) else { continue }
      facts.clock = ClockReading(server: .seconds(seconds) + .microseconds(microseconds), before: before, after: before + took)
    }
    facts.latency = shortest ?? .zero
  }

  private static func number(_ reply: RedisReply) -> Int64? { reply.bytes.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }

  private func tryCommands(_ facts: inout RedisFacts, _ deadline: Deadline) async throws(RedisError) {
    let key = "\(prefix):doctor:\(UInt64.random(in: 0...UInt64.max))"
    let write = """
      redis.call('HGET', KEYS[1], 'version')
      redis.call('HSET', KEYS[1], 'version', '1', 'order', '{}')
      redis.call('PEXPIRE', KEYS[1], 1000)
      """
    let tried = [
      ("EVAL with HGET, HSET and PEXPIRE", RedisCommand("EVAL", write, "1", key)), ("HMGET", RedisCommand("HMGET", key, "version", "order")),
      ("UNLINK", RedisCommand("UNLINK", key)),
    ]
    let replies = try await client.pipeline(tried.map(\.1), deadline: deadline)
    for (one, reply) in zip(tried, replies) { if let error = reply.errorText { facts.refused.append("\(one.0): \(error)") } }
  }
}
