import RabbitMQAdapter
import RabbitMQClient
import Testing

/// A queue cannot be declared again with other arguments: these may never change.
@Suite struct TopologyTests {
  private static let quorum = Header(name: "x-queue-type", value: .string("quorum"))

  @Test(arguments: [
    (
      "commands", "shop.commands",
      [
        "x-overflow": FieldValue.string("reject-publish"), "x-dead-letter-exchange": .string(""), "x-dead-letter-routing-key": .string("shop.dead-letter"),
        "x-dead-letter-strategy": .string("at-least-once"), "x-delivery-limit": .int64(50),
      ]
    ),
    (
      "queries", "shop.queries",
      [
        "x-message-ttl": .int64(30_000), "x-delivery-limit": .int64(5), "x-max-length": .int64(100_000), "x-overflow": .string("reject-publish"),
      ]
    ),
    ("dead-letter", nil, ["x-delivery-limit": .int64(1_000_000_000)]),
    ("retry.1s", nil, retry(1_000)), ("retry.5s", nil, retry(5_000)), ("retry.30s", nil, retry(30_000)), ("retry.2m", nil, retry(120_000)),
    ("retry.10m", nil, retry(600_000)),
  ])
  func aQueueHasTheArgumentsOfTheContract(name: String, boundTo: String?, arguments: [String: FieldValue]) throws {
    let queue = try #require(Topology(prefix: "shop").queues.first { $0.name == "shop.\(name)" })
    #expect(queue.boundTo == boundTo)
    #expect(queue.arguments.contains(Self.quorum))
    let others = queue.arguments.filter { $0 != Self.quorum }
    #expect(Dictionary(uniqueKeysWithValues: others.map { ($0.name, $0.value) }) == arguments)
  }

  @Test func thereIsNothingElse() {
    let topology = Topology(prefix: "shop")
    #expect(topology.queues.count == 8)
    #expect(topology.exchanges == ["shop.commands", "shop.queries", "shop.events"])
  }

  private static func retry(_ milliseconds: Int64) -> [String: FieldValue] {
    [
      "x-message-ttl": .int64(milliseconds), "x-overflow": .string("reject-publish"), "x-dead-letter-strategy": .string("at-least-once"),
      "x-dead-letter-exchange": .string(""), "x-dead-letter-routing-key": .string("shop.commands"),
    ]
  }
}
