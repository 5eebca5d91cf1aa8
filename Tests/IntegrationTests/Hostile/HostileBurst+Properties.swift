import RabbitMQClient

extension HostileBurst {
  mutating func addProperties() {
    let ids: [(String, String?)] = [
      ("none", nil), ("empty", ""), ("129 characters", String(repeating: "i", count: 129)), ("a newline", "a\nb"), ("a NUL", "a\0b"), ("a DEL", "a\u{7F}"),
      ("a control character of two bytes", "a\u{85}"),
    ]
    for (name, id) in ids { bad("malformed", naming: "message_id", "a message id: \(name)") { $0.publication.properties.messageID = id } }
    good("a message id of 128 characters", total: 100) { $0.publication.properties.messageID = String(repeating: "i", count: 128) }
    good("a message id of 60 characters of four bytes", total: 100) { $0.publication.properties.messageID = String(repeating: "😀", count: 60) }

    for type in ["text/plain", "application/xml", "application/jsonx", "json", "application/octet-stream"] {
      bad("malformed", naming: "content_type", "a content type of \(type)") { $0.publication.properties.contentType = type }
    }
    for type in [nil, "", "application/json; charset=utf-8", "APPLICATION/JSON"] {
      good("a content type of \(type ?? "nothing")", total: 100) { $0.publication.properties.contentType = type }
    }
    for encoding in ["gzip", "identity", "utf-8"] {
      bad("malformed", naming: "content_encoding", "a content encoding of \(encoding)") { $0.publication.properties.contentEncoding = encoding }
    }

    bad("malformed", naming: "routing key", "a type that is not the routing key") { $0.publication.properties.type = "order.update_status" }
    bad("malformed", naming: "routing key", "a routing key that is not the type") { $0.publication.routingKey = "order.update_status" }
    bad("malformed", naming: "type", "a type that is near the routing key") { $0.publication.properties.type = "order.creat" }
    good("no type", total: 100) { $0.publication.properties.type = nil }
    good("a version in the type", total: 100) { $0.publication.properties.type = "order.create.v1" }
    good("a version in both", total: 100) {
      $0.publication.properties.type = "order.create.v1"
      $0.publication.routingKey = "order.create.v1"
    }
    for name in ["order.craete", "order.create.v2", "order.reply", "ORDER.CREATE", "order.create\n", String(repeating: "t", count: 255)] {
      bad("unknown_type", naming: "type", "the type \(name.prefix(40).split(separator: "\n").joined()), \(name.count) long") {
        $0.publication.properties.type = name
        $0.publication.routingKey = name
      }
    }
    bad("unknown_type", naming: "type", "a mistyped routing key alone") {
      $0.publication.properties.type = nil
      $0.publication.routingKey = "order.crate"
    }
    let queue = "\(prefix).commands"
    bad("unknown_type", naming: "type", "by the default exchange without a type") {
      $0.publication.exchange = ""
      $0.publication.routingKey = queue
      $0.publication.properties.type = nil
    }
    good("by the default exchange with a type", total: 100) {
      $0.publication.exchange = ""
      $0.publication.routingKey = queue
    }

    good("an id used twice", total: 100)
    add("an id used twice, the same again", Self.create(), .duplicate) { $0.publication.properties.messageID = "an id used twice" }
    bad("id_conflict", naming: "message_id", "an id used twice, with other data", Self.create(quantity: "2")) {
      $0.publication.properties.messageID = "an id used twice"
    }
    bad("unauthenticated", naming: "x-order-principal", "a seal that is none") {
      $0.publication.properties.headers.append(Header(name: "x-order-principal", value: .string("e30.e30.")))
    }
    good("headers that only the worker should send", total: 100) {
      $0.publication.properties.headers += [
        Header(name: "x-attempt", value: .int32(99)), Header(name: "x-reason", value: .string("retries_exhausted")),
        Header(name: "x-delivery-count", value: .int64(1_000)), Header(name: "x-death", value: .array([.table([])])),
      ]
    }
    bad("malformed", naming: "body", "headers that only the worker should send, on a bad one", [0x5B]) {
      $0.publication.properties.headers += [Header(name: "x-custom", value: .bool(true)), Header(name: "x-custom", value: .bool(false))]
    }
  }

  mutating func addReplyAddresses() {
    let prefix = prefix
    for queue in ["commands", "dead-letter", "retry.1s", "queries", "anything"] {
      good("a reply to the worker's own \(queue)", total: 100) {
        $0.publication.properties.replyTo = "\(prefix).\(queue)"
        $0.answeredAs = nil
      }
    }
    for address in ["", "forbidden.\(prefix)", "reply", "x.replies.y", String(repeating: "r", count: 255)] {
      good("a reply to '\(address.prefix(50))'", total: 100) {
        $0.publication.properties.replyTo = address
        $0.answeredAs = nil
      }
      bad("malformed", naming: "body", "a bad one with a reply to '\(address.prefix(50))'", []) {
        $0.publication.properties.replyTo = address
        $0.answeredAs = nil
      }
    }
    good("no reply asked for", total: 100) {
      $0.publication.properties.replyTo = nil
      $0.answeredAs = nil
    }
  }
}
