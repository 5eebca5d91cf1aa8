import RabbitMQClient

/// A message that a sender could send may be one that nobody can send again: text that is not UTF-8 is longer once it is repaired, and headers
/// that filled their frame have no room left for those of the worker. It must be passed on all the same, or it would be tried for ever.
extension Publication {
  /// What fits a frame of 131,072 bytes beside the other properties, each of them at its longest.
  private static let largestHeaders = 126_000
  private static let longestText = 255

  /// The same with its short texts cut to what AMQP carries, and without its largest headers where all of them do not fit a frame.
  func fitted() -> Publication {
    var fitted = self
    fitted.properties.contentType = properties.contentType.map(Self.cut)
    fitted.properties.contentEncoding = properties.contentEncoding.map(Self.cut)
    fitted.properties.type = properties.type.map(Self.cut)
    fitted.properties.messageID = properties.messageID.map(Self.cut)
    fitted.properties.correlationID = properties.correlationID.map(Self.cut)
    fitted.properties.replyTo = properties.replyTo.map(Self.cut)
    fitted.properties.appID = properties.appID.map(Self.cut)
    fitted.properties.headers = Self.fitting(properties.headers.map(Self.cut))
    return fitted
  }

  private static func fitting(_ headers: [Header]) -> [Header] {
    var kept = headers.map { (header: $0, size: size($0)) }
    var total = kept.reduce(0) { $0 + $1.size }
    while total > largestHeaders, let largest = kept.indices.max(by: { kept[$0].size < kept[$1].size }) { total -= kept.remove(at: largest).size }
    return kept.map(\.header)
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > longestText else { return text }
    var cut = ""
    for scalar in text.unicodeScalars {
      if cut.utf8.count + UTF8.width(scalar) > longestText { break }
      cut.unicodeScalars.append(scalar)
    }
    return cut
  }

  private static func cut(_ header: Header) -> Header { Header(name: cut(header.name), value: cut(header.value)) }

  private static func cut(_ value: FieldValue) -> FieldValue {
    switch value {
    case .table(let entries): .table(entries.map(cut))
    case .array(let values): .array(values.map(cut))
    default: value
    }
  }

  /// How many bytes the header takes in its frame at most.
  private static func size(_ header: Header) -> Int { header.name.utf8.count + 1 + size(header.value) }

  private static func size(_ value: FieldValue) -> Int {
    switch value {
    case .string(let text): 5 + text.utf8.count
    case .longBytes(let bytes), .bytes(let bytes): 5 + bytes.count
    case .table(let entries): entries.reduce(5) { $0 + size($1) }
    case .array(let values): values.reduce(5) { $0 + size($1) }
    default: 9
    }
  }
}
