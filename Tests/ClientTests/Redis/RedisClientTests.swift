import ClientRuntime
import RedisClient
import Testing
import TestSupport

/// A client of `url`, closed after the test.
func withRedis<R>(_ url: String?, _ body: (RedisClient) async throws -> R) async throws -> R {
  let client = RedisClient(configuration: try RedisConfiguration(url: try #require(url)))
  do {
    let result = try await body(client)
    await client.close()
    return result
  } catch {
    await client.close()
    throw error
  }
}

@Suite(.tags(.integration), .enabled(if: Stack.redis != nil))
struct RedisClientTests {
  private let key = "client-tests:\(UInt64.random(in: .min ... .max)):"

  @Test func everyKindOfReplyComesBackInOrder() async throws {
    try await withRedis(Stack.redis) { client in
      let replies = try await client.pipeline(
        [
          RedisCommand("SET", key + "a", "1", "EX", "60"), RedisCommand("INCR", key + "a"), RedisCommand("GET", key + "a"),
          RedisCommand("GET", key + "none"), RedisCommand("LPUSH", key + "a", "x"), RedisCommand("MGET", key + "a", key + "none"),
          RedisCommand("NOSUCHCOMMAND"), RedisCommand("EVAL", "return {1, {'x', {ok = 'fine'}}, false}", "0"), RedisCommand("UNLINK", key + "a"),
        ], deadline: .soon)
      #expect(replies.count == 9)
      #expect(replies[0] == .status("OK") && replies[1] == .integer(2) && replies[2] == .string(Array("2".utf8)) && replies[3] == .null)
      #expect(replies[4].errorText?.hasPrefix("WRONGTYPE") == true)
      #expect(replies[5] == .array([.string(Array("2".utf8)), .null]))
      #expect(replies[6].errorText?.hasPrefix("ERR unknown command") == true)
      #expect(replies[7] == .array([.integer(1), .array([.string(Array("x".utf8)), .status("fine")]), .null]))
      #expect(replies[8] == .integer(1))
      guard case .connected(let server) = client.state else {
        Issue.record("\(client.state)")
        return
      }
      #expect(server.hasPrefix("Redis "))
    }
  }

  @Test func binaryEmptyAndGiantValuesSurvive() async throws {
    try await withRedis(Stack.redis) { client in
      let values: [[UInt8]] = [[], [0], Array(0...255), [UInt8](repeating: 13, count: 1 << 20), Array("\r\n$5\r\nhello\r\n".utf8)]
      let commands = values.enumerated().flatMap { index, value in
        var set = RedisCommand("SET", capacity: value.count + 64)
        set.append(key + "\(index)")
        set.append(value)
        set.append("PX")
        set.append(60_000)
        return [set, RedisCommand("GET", key + "\(index)"), RedisCommand("UNLINK", key + "\(index)")]
      }
      let replies = try await client.pipeline(commands, deadline: .soon)
      #expect(replies.count == 15)
      #expect(stride(from: 1, to: 15, by: 3).map { replies[$0].bytes } == values)
    }
  }

  @Test func tenThousandCommandsInOnePipelineKeepTheirOrder() async throws {
    try await withRedis(Stack.redis) { client in
      let commands = (0..<10_000).map { RedisCommand("ECHO", "\($0)") }
      let replies = try await client.pipeline(commands, deadline: .soon)
      #expect(replies == (0..<10_000).map { .string(Array("\($0)".utf8)) })
    }
  }

  @Test func callsOfManyTasksGetTheirOwnReplies() async throws {
    try await withRedis(Stack.redis) { client in
      let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
        for task in 0..<100 {
          group.addTask {
            let replies = try await client.pipeline([RedisCommand("ECHO", "\(task)"), RedisCommand("PING")], deadline: .soon)
            return replies != [.string(Array("\(task)".utf8)), .status("PONG")]
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(wrong == 0)
    }
  }

  @Test func databasesAreSelected() async throws {
    let address = try #require(Stack.redis)
    try await withRedis(address + "/1") { one in
      try await withRedis(address + "/2") { two in
        _ = try await one.pipeline([RedisCommand("SET", key, "one", "EX", "60")], deadline: .soon)
        let seen = try await two.pipeline([RedisCommand("GET", key)], deadline: .soon)
        let own = try await one.pipeline([RedisCommand("GET", key), RedisCommand("UNLINK", key)], deadline: .soon)
        #expect(seen == [.null] && own[0].bytes == Array("one".utf8))
      }
    }
  }

  @Test func aClosedClientRefusesCalls() async throws {
    let client = RedisClient(configuration: try RedisConfiguration(url: try #require(Stack.redis)))
    await client.close()
    await #expect(throws: RedisError.unavailable("the client is closed")) { try await client.pipeline([RedisCommand("PING")], deadline: .soon) }
    #expect(client.state == .closed)
  }
}
