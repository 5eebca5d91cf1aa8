import Foundation
import TestSupport
import Testing
import TokenSupport

/// Keys come and go in the JWKS while commands flow.
@Suite(.enabled(if: ServerWorld.isThere)) struct KeyRotationProgramTests {
  private static let generations = 5
  private static let each = 2_000

  @Test func noGoodTokenIsRefusedAndNoneOfAWithdrawnKeyIsTaken() async throws {
    try await AuthenticatedWorld.withWorker(["ORDERS_JWT_JWKS_REFRESH": "1s", "ORDERS_JWT_JWKS_STALE": "5s"]) { world, jwks, _ in
      func publish(_ keys: [TokenForge]) throws {
        try Data(TokenForge.jwks(keys).utf8).write(to: URL(fileURLWithPath: jwks), options: .atomic)
      }
      func tokens(_ key: TokenForge) -> [String] { (0..<8).map { key.token(AuthenticatedWorld.claims(sub: "sender-\($0)")) } }
      var current = AuthenticatedWorld.keys[0]
      var withdrawn: [TokenForge] = []
      for generation in 0..<Self.generations {
        let next: TokenForge = [.ec("key-\(generation)"), .rsa("key-\(generation)"), .ed25519("key-\(generation)")][generation % 3]
        // By the current key, and from the middle on by the next one too: at once, before the worker has looked for it.
        let (old, new) = (tokens(current), tokens(next))
        for start in stride(from: 0, to: Self.each, by: 250) {
          if start == Self.each / 2 { try publish([current, next]) }
          try await AuthenticatedWorld.publish(
            world,
            (start..<start + 250).map { number in
              let token = start >= Self.each / 2 && number % 2 == 0 ? new[number % 8] : old[number % 8]
              return AuthenticatedWorld.publication(world, id: "g\(generation)-\(number)", token: token)
            })
        }
        let settled = "SELECT count(*) FROM processed_commands WHERE message_id LIKE 'g\(generation)-%' AND outcome = 'accepted'"
        #expect(await AuthenticatedWorld.waitFor(Int64(Self.each), world, settled), "generation \(generation)")
        // What was sent under it is done: it goes, and from the cache's time on nothing by it is taken.
        withdrawn.append(current)
        try publish([next])
        var probe = 0
        let isGone = await eventually(within: .seconds(10)) {
          probe += 1
          let reply = try? await AuthenticatedWorld.send(world, old[0], id: "probe-\(generation)-\(probe)")
          return reply?.contains(#""code":"unauthenticated""#) == true
        }
        #expect(isGone, "generation \(generation)")
        current = next
      }
      for key in withdrawn {
        let reply = try await AuthenticatedWorld.send(world, key.token(AuthenticatedWorld.claims()), id: "late-\(key.id!)")
        #expect(reply.contains(#""code":"unauthenticated""#), "\(reply)")
      }
      #expect(await AuthenticatedWorld.waitFor(0, world, "SELECT count(*) FROM dead_letters WHERE message_id LIKE 'g%'"))
      #expect(try await world.number("SELECT count(*) FROM orders WHERE customer_id = 'c'") >= Int64(Self.generations * Self.each))
    }
  }
}
