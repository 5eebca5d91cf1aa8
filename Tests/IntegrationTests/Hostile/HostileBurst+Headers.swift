import RabbitMQClient

extension HostileBurst {
  mutating func addHeaders() {
    let named = "headers"
    bad("malformed", naming: named, "65 headers") {
      // Behind the row's name, where RabbitMQ 4 sorts them: what is too much is left out from the end.
      $0.publication.properties.headers += (4...65).map { Header(name: "z\($0)", value: .int32($0)) }
      $0.headersAreCut = true
    }
    good("64 headers", total: 100) { $0.publication.properties.headers += (4...64).map { Header(name: "h\($0)", value: .int32($0)) } }
    bad("malformed", naming: named, "1,025 nested headers") {
      $0.publication.properties.headers = [$0.publication.properties.headers[0], Header(name: "wide", value: .array((0..<1_025).map { .int32($0) }))]
      $0.headersAreCut = true
    }
    good("1,024 nested headers", total: 100) {
      $0.publication.properties.headers = [$0.publication.properties.headers[0], Header(name: "wide", value: .array((0..<1_024).map { .int32($0) }))]
    }
    bad("malformed", naming: named, "nine tables in one another") {
      $0.publication.properties.headers.append(Header(name: "deep", value: Self.tables(9)))
      $0.headersAreCut = true
    }
    good("seven tables in one another", total: 100) { $0.publication.properties.headers.append(Header(name: "deep", value: Self.tables(7))) }
    for (kind, name, levels) in [("F", "5,000 tables in one another", 5_000), ("A", "20,000 arrays in one another", 20_000)] {
      raw("malformed", naming: named, name) { $0.headers += RawMessage.nest(kind.utf8.first!, levels: levels) }
    }
    // To a queue that the sender may not reach, by the rights of the worker that passes it on.
    let forbidden = "forbidden.\(prefix)"
    for name in ["CC", "BCC"] {
      bad("malformed", naming: "body", "a \(name) header", []) {
        $0.publication.properties.headers.append(Header(name: name, value: .array([.string(forbidden)])))
        $0.dropped.append(name)
      }
    }
    // Nearly a whole frame of them: with what the worker has to add they fit no frame any more.
    bad("malformed", naming: "body", "headers of a whole frame", []) {
      $0.publication.properties.headers.append(Header(name: "large", value: .string(String(repeating: "h", count: 130_600))))
      $0.dropped.append("large")
    }
    bad("malformed", naming: "body", "headers of 110 KB", []) {
      $0.publication.properties.headers.append(Header(name: "large", value: .string(String(repeating: "h", count: 110_000))))
    }
  }

  mutating func addRawProperties() {
    let broken: [UInt8] = [0x61, 0xFF, 0x62]
    let bits: [(RawMessage.Bit, String)] = [(.messageID, "message id"), (.type, "type"), (.correlationID, "correlation id"), (.contentType, "content type")]
    for (bit, name) in bits { raw("malformed", naming: "UTF-8", "a \(name) that is not UTF-8") { $0.short[bit] = broken } }
    // Repaired, these have three times as many bytes as AMQP's short strings can carry.
    for (bit, name) in bits {
      raw("malformed", naming: "UTF-8", "a \(name) of 200 bytes that are not UTF-8") { $0.short[bit] = Array(repeating: 0xFF, count: 200) }
    }
    raw("malformed", naming: "UTF-8", "a routing key that is not UTF-8") {
      $0.routingKey = broken
      $0.short[.type] = nil
    }
    raw("malformed", naming: "UTF-8", "a header's name that is not UTF-8") { $0.headers += RawMessage.entry(broken, text: broken) }
    raw("malformed", naming: "UTF-8", "a header's name of 200 bytes that are not UTF-8") {
      $0.headers += RawMessage.entry(Array(repeating: 0xFF, count: 200), text: [])
    }
  }

  /// A message by its bytes; without a message id of its own in the expectations, since it may have none that can be read.
  private mutating func raw(_ reason: String, naming: String, _ name: String, _ change: (inout RawMessage) -> Void) {
    bad(reason, naming: naming, name) { message in
      let properties = message.publication.properties
      var raw = RawMessage(
        exchange: Array(message.publication.exchange.utf8), routingKey: Array(message.publication.routingKey.utf8), body: message.publication.body)
      raw.short = [
        .contentType: Array(properties.contentType!.utf8), .correlationID: Array(name.utf8), .replyTo: Array(properties.replyTo!.utf8),
        .messageID: Array(name.utf8), .type: Array(properties.type!.utf8),
      ]
      raw.headers = RawMessage.entry(Array("row".utf8), text: Array(name.utf8)) + RawMessage.entry(Array("authorization".utf8), text: Array(Self.token.utf8))
      change(&raw)
      let correlation = String(decoding: raw.short[.correlationID]!, as: UTF8.self)
      message.answeredAs = correlation.utf8.count > 255 ? HostileMessage.noCorrelation : correlation
      message.headersAreCut = true
      message.raw = raw
    }
  }

  private static func tables(_ levels: Int) -> FieldValue {
    levels == 0 ? .bool(true) : .table([Header(name: "in", value: tables(levels - 1))])
  }
}
