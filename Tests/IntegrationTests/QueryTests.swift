import ClientRuntime
import Foundation
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// What a worker answers to queries, asked as any service asks.
@Suite(.serialized) struct QueryTests {
  /// A worker, and a log of what comes to the world's reply queue.
  private struct Asker {
    let world: ProductWorld
    let publisher: Publisher
    let replies: DeliveryLog
    let worker: ServerProcess

    static func with(_ settings: [String: String] = [:], _ body: (Asker) async throws -> Void) async throws {
      let world = try await ProductWorld.make(settings)
      try await world.setStock(["p": 1_000])
      let asker = Asker(world: world, publisher: try world.publisher(), replies: await DeliveryLog(try world.replies()), worker: await world.worker())
      try await body(asker)
      await asker.worker.end()
      await asker.replies.close()
      await asker.publisher.close()
      try await world.remove()
    }

    /// Sends a command and waits for its reply.
    func command(_ publication: Publication) async throws {
      #expect(await publisher.publish([publication], deadline: .after(.seconds(30))) == [.confirmed])
      let id = publication.properties.messageID
      #expect(await eventually(within: .seconds(30)) { replies.all.contains { $0.delivery.properties.correlationID == id } }, "\(world.logTail())")
    }

    func publish(_ type: String, _ body: String, id: String?, correlation: String?, replyTo: String?, key: String? = nil) async {
      let query = world.publication(Array(body.utf8), id: id, type: type) { publication in
        publication = Publication(
          exchange: "\(world.name).queries", routingKey: key ?? type, mandatory: true, properties: publication.properties, body: publication.body)
        publication.properties.correlationID = correlation
        publication.properties.replyTo = replyTo
      }
      #expect(await publisher.publish([query], deadline: .after(.seconds(30))) == [.confirmed])
    }

    /// The answer to a query under a correlation id of its own.
    func ask(_ type: String, _ body: String, key: String? = nil) async throws -> [String: Any] {
      let correlation = "q-\(UInt64.random(in: 0...UInt64.max))"
      await publish(type, body, id: nil, correlation: correlation, replyTo: world.replyQueue, key: key)
      return try await answer(correlation)
    }

    func answer(_ correlation: String) async throws -> [String: Any] {
      var body: [UInt8]?
      _ = await eventually(within: .seconds(30)) {
        body = replies.all.first { $0.delivery.properties.correlationID == correlation }?.delivery.body
        return body != nil
      }
      let found = try #require(body, "no answer: \(world.logTail())")
      return try #require(try JSONSerialization.jsonObject(with: Data(found)) as? [String: Any])
    }

    func create(_ number: Int, customer: String = "ann") async throws -> String {
      let order = CommandFlow.orderID(number)
      let body = #"{"order_id":"\#(order)","customer_id":"\#(customer)","items":[{"product_id":"p","quantity":1,"unit_price":"9.99"}]}"#
      try await command(world.publication(Array(body.utf8), id: "create-\(number)"))
      return order
    }

    func cancel(_ order: String) async throws {
      let body = #"{"order_id":"\#(order)","status":"cancelled","reason":"too late"}"#
      try await command(world.publication(Array(body.utf8), id: "cancel-\(order)", type: "order.update_status"))
    }
  }

  private static func code(_ answer: [String: Any]) -> String? { (answer["error"] as? [String: Any])?["code"] as? String }
  private static func version(_ answer: [String: Any]) -> Int? { (answer["order"] as? [String: Any])?["version"] as? Int }

  @Test(.timeLimit(.minutes(2))) func anOrderIsReadWithItsHistoryAndItsVersionIsWaitedForInTheDatabase() async throws {
    try await Asker.with { asker async throws in
      let order = try await asker.create(1)
      try await asker.cancel(order)
      #expect(Self.version(try await asker.ask("order.get", #"{"order_id":"\#(order.uppercased())"}"#)) == 2)
      #expect(Self.version(try await asker.ask("order.get.v1", #"{"order_id":"\#(order)","min_version":2}"#)) == 2)
      #expect(Self.code(try await asker.ask("order.get", #"{"order_id":"\#(order)","min_version":3}"#)) == "not_yet")
      #expect(Self.code(try await asker.ask("order.get", #"{"order_id":"\#(CommandFlow.orderID(9))"}"#)) == "not_found")
      #expect(Self.code(try await asker.ask("order.history", #"{"order_id":"\#(CommandFlow.orderID(9))"}"#)) == "not_found")
      let history = try #require(try await asker.ask("order.history", #"{"order_id":"\#(order)"}"#)["history"] as? [[String: Any]])
      #expect(history.map { $0["status"] as? String } == ["pending", "cancelled"] && history.map { $0["version"] as? Int } == [1, 2])
      #expect(history[0]["previous_status"] is NSNull && history[0]["reason"] is NSNull && history[1]["reason"] as? String == "too late")
      #expect(history[1]["message_id"] as? String == "cancel-\(order)" && history[1]["previous_status"] as? String == "pending")
    }
  }

  @Test(.timeLimit(.minutes(2))) func aListIsPagedNewestFirstAndItsCursorIsBoundToItsFilter() async throws {
    try await Asker.with { asker async throws in
      var made: [String] = []
      for number in 1...5 { made.append(try await asker.create(number)) }
      var (seen, cursor): ([String], String?) = ([], nil)
      var cursors: [String] = []
      repeat {
        let more = cursor.map { #","cursor":"\#($0)""# } ?? ""
        let page = try await asker.ask("order.list", #"{"customer_id":"ann","limit":2\#(more)}"#)
        seen += (page["orders"] as? [[String: Any]] ?? []).compactMap { $0["order_id"] as? String }
        cursor = page["next_cursor"] as? String
        cursors += [cursor].compactMap(\.self)
      } while cursor != nil && seen.count < 10
      #expect(seen == made.reversed() && cursors.count == 2)
      for body in [
        #"{"customer_id":"ann","status":"pending","cursor":"\#(cursors[0])"}"#, #"{"customer_id":"bob","cursor":"\#(cursors[0])"}"#,
        #"{"customer_id":"ann","cursor":"garbage"}"#, #"{"customer_id":"ann","cursor":""}"#,
      ] { #expect(Self.code(try await asker.ask("order.list", body)) == "invalid", "\(body)") }
      let none = try await asker.ask("order.list", #"{"customer_id":"nobody"}"#)
      #expect((none["orders"] as? [Any])?.isEmpty == true && none["next_cursor"] is NSNull)
    }
  }

  @Test(.timeLimit(.minutes(2))) func hostileQueriesAreAnsweredAndNeverDeadLettered() async throws {
    try await Asker.with { asker async throws in
      let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
      for body in ["", "null", "[]", "{", "\u{FEFF}{}", #"{"order_id":1}"#, #"{"order_id":"no"}"#, #"{"order_id":"\ud800"}"#, #"{"x":"# + deep + "}"] {
        #expect(Self.code(try await asker.ask("order.get", body)) == "invalid", "\(body.prefix(40))")
      }
      let several = try await asker.ask("order.list", #"{"customer_id":"","limit":201,"status":"nowhere"}"#)
      let details = ((several["error"] as? [String: Any])?["details"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
      #expect(Set(details ?? []) == ["customer_id", "limit", "status"])
      #expect(Self.code(try await asker.ask("order.nonsense", "{}")) == "unknown_type")
      #expect(Self.code(try await asker.ask("order.create", "{}")) == "unknown_type")
      #expect(Self.code(try await asker.ask("order.get", "{}", key: "order.list")) == "invalid")
      #expect(try await asker.world.depth("dead-letter") == 0 && asker.worker.isRunning)
    }
  }

  @Test(.timeLimit(.minutes(2))) func onlyAllowedAddressesAreAnsweredAndAMessageIDStandsInForACorrelationID() async throws {
    try await Asker.with { asker async throws in
      let own = asker.world.name + ".commands"
      for address in [nil, own, "elsewhere"] { await asker.publish("order.get", "{}", id: "x", correlation: "x", replyTo: address) }
      await asker.publish("order.get", "{}", id: "only-an-id", correlation: nil, replyTo: asker.world.replyQueue)
      #expect(Self.code(try await asker.answer("only-an-id")) == "invalid")
      #expect(await eventually { (try? await asker.world.depth("queries")) == 0 })
      #expect(!asker.replies.all.contains { $0.delivery.properties.correlationID == "x" } && asker.replies.count == 1)
      #expect(try await asker.world.depth("dead-letter") == 0, "nothing was sent to the worker's own queue")
    }
  }

  @Test(.timeLimit(.minutes(2)), .enabled(if: PrivateRedis.isInstalled)) func aCacheThatMissedAVersionIsNotBelieved() async throws {
    let redis = PrivateRedis()
    let server = await redis.start()
    try await Asker.with(["ORDERS_REDIS_URL": redis.url]) { asker async throws in
      let order = try await asker.create(1)
      // Version 1 is cached, if only by a look.
      let reader = try SnapshotReader(asker.world, url: redis.url)
      let isCached = await eventually {
        _ = try? await asker.ask("order.get", #"{"order_id":"\#(order)"}"#)
        return (try? await reader.snapshots([order])[order]?.version) == 1
      }
      #expect(isCached, "\(asker.world.logTail())")
      server.freeze()
      try await asker.cancel(order)
      #expect(Self.version(try await asker.ask("order.get", #"{"order_id":"\#(order)"}"#)) == 2, "while Redis does not answer")
      server.thaw()
      for _ in 0..<50 {
        #expect(Self.version(try await asker.ask("order.get", #"{"order_id":"\#(order)","min_version":2}"#)) == 2)
        #expect(Self.version(try await asker.ask("order.get", #"{"order_id":"\#(order)"}"#)) == 2)
      }
      await reader.close()
    }
    await server.end(SIGKILL)
  }
}
