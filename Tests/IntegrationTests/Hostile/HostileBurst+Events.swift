import RabbitMQClient

extension HostileBurst {
  /// CloudEvents, structured and binary.
  mutating func addEvents() {
    structured("whole", bad: nil)
    structured("without AMQP's id and type", bad: nil) {
      $0.messageID = nil
      $0.type = nil
    }
    structured("data in Base64", bad: nil, data: #""data_base64":"\#(Self.base64(Self.create()))""#)
    structured("another id than message_id", bad: "message_id") { $0.messageID = "another" }
    structured("an id of 129 characters", bad: "id", id: String(repeating: "i", count: 129)) { $0.messageID = nil }
    structured("another type than AMQP's", bad: "type") { $0.type = "order.update_status" }
    structured("another type than the routing key", bad: "routing key", type: "order.update_status") { $0.type = nil }
    structured("another specversion", bad: "specversion", version: "0.3")
    structured("data that is no object", bad: "data", data: #""data":[]"#)
    structured("no data", bad: "data", data: #""subject":"x""#)
    structured("data twice", bad: "data", data: #""data":{},"data_base64":"e30=""#)
    structured("data in wrong Base64", bad: "data_base64", data: #""data_base64":"%%%""#)
    let bodies: [(String, String)] = [
      ("id", #"{"specversion":"1.0","source":"/t","type":"order.create","data":{}}"#), ("type", #"{"specversion":"1.0","source":"/t","id":"x","data":{}}"#),
      ("source", #"{"specversion":"1.0","id":"x","type":"order.create","data":{}}"#), ("specversion", #"{"id":"x","data":{}}"#),
      ("JSON", "["), ("object", "[]"),
    ]
    for (missing, body) in bodies {
      bad("malformed", naming: missing, "a structured event without \(missing)", Array(body.utf8)) {
        $0.publication.properties.contentType = "application/cloudevents+json"
      }
    }

    for prefix in ["ce-", "cloudEvents_", "cloudEvents:"] {
      binary("whole", prefix, bad: nil)
      binary("another id than message_id", prefix, bad: "message_id", attributes: ["id": "another"])
      binary("another type", prefix, bad: "type", attributes: ["type": "order.update_status"])
      binary("another specversion", prefix, bad: "specversion", attributes: ["specversion": "2.0"])
      binary("an empty source", prefix, bad: "source", attributes: ["source": ""])
    }
  }

  private mutating func structured(
    _ name: String, bad word: String?, id: String? = nil, type: String = "order.create", version: String = "1.0", data: String? = nil,
    change: (inout MessageProperties) -> Void = { _ in }
  ) {
    let name = "a structured event: \(name)"
    let data = data ?? #""data":\#(String(decoding: Self.create(), as: UTF8.self))"#
    let body = Array(#"{"specversion":"\#(version)","id":"\#(id ?? name)","source":"/tests","type":"\#(type)",\#(data)}"#.utf8)
    add(name, body, word) {
      $0.contentType = "application/cloudevents+json; charset=utf-8"
      change(&$0)
    }
  }

  private mutating func binary(_ name: String, _ prefix: String, bad word: String?, attributes: [String: String] = [:]) {
    let name = "a binary event by \(prefix): \(name)"
    let all = ["specversion": "1.0", "id": name, "source": "/tests", "type": "order.create"].merging(attributes) { $1 }
    add(name, Self.create(), word) {
      $0.headers += all.sorted { $0.key < $1.key }.map { Header(name: prefix + $0.key, value: .string($0.value)) }
      $0.type = nil
    }
  }

  private mutating func add(_ name: String, _ body: [UInt8], _ word: String?, change: (inout MessageProperties) -> Void) {
    if let word {
      bad("malformed", naming: word, name, body) { change(&$0.publication.properties) }
    } else {
      good(name, total: 100, body) { change(&$0.publication.properties) }
    }
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let symbols = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let some = bytes[start..<min(start + 3, bytes.count)]
      let bits = some.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - some.count))
      for place in 0..<4 { text.append(place <= some.count ? symbols[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "=")) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
