import RabbitMQClient

/// The commands of workload W: three items over 1,000 products, about 450 bytes, the same ones for the same seed.
struct Workload {
  let topology: BenchTopology
  private var random = SplitMix(state: 42)
  private var sent = 0
  /// Tells this run's messages from all others.
  let run: String

  init(topology: BenchTopology, run: String = String(UInt64.random(in: 0...UInt64.max), radix: 16)) {
    self.topology = topology
    self.run = run
  }

  mutating func next() -> Publication {
    sent += 1
    return command("order.create", id: "bench-\(run)-\(padded(sent, 10))", body: body())
  }

  func command(_ type: String, id: String, replyTo: String? = nil, body: String) -> Publication {
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.deliveryMode = 2
    properties.type = type
    properties.messageID = id
    properties.correlationID = id
    properties.replyTo = replyTo
    if !topology.tokens.isEmpty {
      let token = topology.tokens[sent % topology.tokens.count]
      properties.headers = [Header(name: "authorization", value: .string("Bearer \(token)"))]
    }
    return Publication(exchange: topology.commandsExchange, routingKey: type, properties: properties, body: Array(body.utf8))
  }

  /// Of a create; `more` are further members, each before a comma.
  mutating func body(more: String = "") -> String {
    let items = "\(item(from: 1)), \(item(from: 334)), \(item(from: 667))"
    let note = String(repeating: "x", count: 120)
    let customer = padded(Int.random(in: 0..<100_000, using: &random), 6)
    return #"{\#(more)"customer_id": "cust-\#(customer)", "currency": "EUR", "items": [\#(items)], "metadata": {"note": "\#(note)"}}"#
  }

  /// One of 333 products from `first` on, so that no order names a product twice.
  private mutating func item(from first: Int) -> String {
    let product = padded(first + Int.random(in: 0..<333, using: &random), 4)
    let price = "\(Int.random(in: 1...200, using: &random)).\(padded(Int.random(in: 0..<100, using: &random), 2))"
    return #"{"product_id": "prod-\#(product)", "quantity": \#(Int.random(in: 1...3, using: &random)), "unit_price": "\#(price)"}"#
  }
}

func padded(_ number: Int, _ digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// A seeded generator, so that two runs send the same orders.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
