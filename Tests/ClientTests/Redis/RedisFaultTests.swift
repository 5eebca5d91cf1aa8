import ClientRuntime
import Glibc
import RedisClient
import Testing
import TestSupport

@Suite(.serialized, .tags(.integration, .chaos), .enabled(if: PrivateRedis.isInstalled))
struct RedisFaultTests {
  private func error(of client: RedisClient, _ commands: [RedisCommand] = [RedisCommand("PING")], within limit: Duration = .seconds(20)) async -> RedisError? {
    do throws(RedisError) {
      _ = try await client.pipeline(commands, deadline: .after(limit))
      return nil
    } catch { return error }
  }

  private func answers(_ client: RedisClient) async -> Bool { await eventually { await error(of: client, within: .seconds(1)) == nil } }

  @Test func aFrozenServerCostsACallItsDeadlineAndTheNextOnesNothing() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    try await withRedis(server.url) { client in
      #expect(await answers(client))
      process.freeze()
      let (first, took) = await timed { await error(of: client, within: .milliseconds(50)) }
      #expect(first == .timeout)
      #expect(took >= .milliseconds(50) && took < .seconds(2))
      // Once a new connection got no answer either, calls fail without waiting.
      let refused = await eventually { if case .unavailable = await error(of: client, within: .milliseconds(50)) { true } else { false } }
      #expect(refused)
      process.thaw()
      #expect(await answers(client))
    }
    await process.end(SIGKILL)
  }

  @Test func aLateReplyIsNotTakenForTheNextCallsReply() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    try await withRedis(server.url) { client in
      #expect(await answers(client))
      process.freeze()
      let late = await error(of: client, [RedisCommand("ECHO", "late")], within: .milliseconds(50))
      #expect(late == .timeout)
      process.thaw()
      #expect(await answers(client))
      let replies = try await client.pipeline([RedisCommand("ECHO", "next")], deadline: .soon)
      #expect(replies == [.string(Array("next".utf8))])
    }
    await process.end(SIGKILL)
  }

  @Test func aKilledServerFailsTheCallAtHandAndTheClientComesBackWithIt() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    try await withRedis(server.url) { client in
      #expect(await answers(client))
      async let blocked = error(of: client, [RedisCommand("BLPOP", "nothing", "0")])
      let isBlocked = try await withRedis(server.url) { observer in
        await eventually {
          let replies = try? await observer.pipeline([RedisCommand("INFO", "clients")], deadline: .soon)
          return String(decoding: replies?[0].bytes ?? [], as: UTF8.self).contains("blocked_clients:1")
        }
      }
      #expect(isBlocked)
      await process.end(SIGKILL)
      guard case .connectionLost = await blocked else {
        Issue.record("\(String(describing: await blocked))")
        return
      }
      #expect(await eventually { if case .disconnected = client.state { true } else { false } })
      // Once a try to connect was refused, calls fail at once, far from their deadline.
      let refused = await eventually {
        let (refusal, took) = await timed { await error(of: client) }
        if case .unavailable(let reason) = refusal { return reason.contains("refused") && took < .seconds(5) }
        return false
      }
      #expect(refused)
      let again = await server.start()
      #expect(await answers(client))
      #expect(client.state.isConnected)
      await again.end(SIGKILL)
    }
  }

  @Test func anIdleConnectionsEndIsNoticedWithoutACall() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    try await withRedis(server.url) { client in
      #expect(await client.waitUntilConnected(deadline: .soon))
      await process.end(SIGKILL)
      #expect(await eventually { !client.state.isConnected })
      let again = await server.start()
      #expect(await client.waitUntilConnected(deadline: .soon))
      await again.end(SIGKILL)
    }
  }

  @Test func aBlackHoleKeepsTheDeadline() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    let proxy = TCPProxy(to: server.port)
    try await withRedis("redis://127.0.0.1:\(proxy.port)") { client in
      #expect(await answers(client))
      proxy.becomeBlackHole()
      var big = RedisCommand("SET", "big")
      big.append([UInt8](repeating: 1, count: 16 << 20))
      let (result, took) = await timed { await error(of: client, [big], within: .milliseconds(200)) }
      #expect(result == .timeout)
      #expect(took >= .milliseconds(200) && took < .seconds(5))
      proxy.forwardAgain()
      #expect(await answers(client))
    }
    proxy.close()
    await process.end(SIGKILL)
  }

  @Test func aWrongPasswordIsSaidAndTheRightOneTaken() async throws {
    let server = PrivateRedis(settings: ["--requirepass", "s3cret:@/word"])
    let process = await server.start()
    try await withRedis("redis://:s3cret%3A%40%2Fword@127.0.0.1:\(server.port)/3") { client in
      #expect(await answers(client))
    }
    for url in ["redis://:hunter2@127.0.0.1:\(server.port)", server.url] {
      try await withRedis(url) { client in
        let refusal = await error(of: client)
        guard case .unavailable(let reason) = refusal else {
          Issue.record("\(String(describing: refusal))")
          return
        }
        #expect(reason.hasPrefix("WRONGPASS") || reason.hasPrefix("NOAUTH"))
        #expect(!reason.contains("hunter2"))
      }
    }
    await process.end(SIGKILL)
  }

  @Test func aNameThatDoesNotResolveIsSaid() async throws {
    try await withRedis("redis://no-such-host.invalid") { client in
      guard case .unavailable(let reason) = await error(of: client, within: .seconds(30)) else {
        Issue.record("connected?")
        return
      }
      #expect(reason.contains("no-such-host.invalid"))
    }
  }

  @Test func manyPipelinesLeaveNoMemoryBehind() async throws {
    let server = PrivateRedis()
    let process = await server.start()
    try await withRedis(server.url) { client in
      #expect(await answers(client))
      let value = [UInt8](repeating: 7, count: 4_000)
      func round(_ count: Int) async throws {
        for _ in 0..<count {
          var set = RedisCommand("SET", "key")
          set.append(value)
          _ = try await client.pipeline([set, RedisCommand("GET", "key"), RedisCommand("BAD"), RedisCommand("MGET", "key", "none")], deadline: .soon)
        }
      }
      try await round(500)
      let before = allocatedBytes()
      try await round(5_000)
      // One reply lost in each round would be 5,000 times 4,000 bytes.
      #expect(await eventually(within: .seconds(150)) { allocatedBytes() - before < 5_000_000 })
    }
    await process.end(SIGKILL)
  }
}
