import CHiredis

/// What Redis answered to one command.
public enum RedisReply: Sendable, Equatable {
  case status(String)
  case string([UInt8])
  case integer(Int64)
  case null
  case array([RedisReply])
  /// Redis refused the command; the text begins with a code in capitals, such as `OOM` or `WRONGTYPE`.
  case error(String)

  init(_ reply: UnsafePointer<redisReply>) {
    let reply = reply.pointee
    let text = UnsafeRawBufferPointer(start: reply.str, count: reply.str == nil ? 0 : reply.len)
    switch reply.type {
    case REDIS_REPLY_STATUS: self = .status(String(decoding: text, as: UTF8.self))
    case REDIS_REPLY_STRING: self = .string(Array(text))
    case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
    case REDIS_REPLY_NIL: self = .null
    case REDIS_REPLY_ARRAY: self = .array((0..<reply.elements).map { RedisReply(reply.element[$0]!) })
    case REDIS_REPLY_ERROR: self = .error(String(decoding: text, as: UTF8.self))
    default: self = .error("ERR a reply of unknown type \(reply.type)")
    }
  }

  public var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
  public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  public var errorText: String? { if case .error(let text) = self { text } else { nil } }
}
