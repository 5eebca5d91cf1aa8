import CRabbitMQ

/// What the server says without being asked.
enum Incoming {
  case delivery(Delivery)
  case returned(code: Int, text: String, exchange: String, routingKey: String, messageID: String?)
  case ack(tag: UInt64, multiple: Bool)
  case nack(tag: UInt64, multiple: Bool)
  case blocked(String)
  case unblocked
  /// The server has cancelled the consumer.
  case cancelled
}

/// Puts method, header and body frames together.
struct FrameAssembler {
  private let generation: UInt64
  private let limits: HeaderLimits
  private var content: Content?

  private struct Content {
    enum Kind { case delivery(tag: UInt64, redelivered: Bool), returned(code: Int, text: String) }
    let kind: Kind
    let exchange: String
    let routingKey: String
    var decoder: PropertyDecoder
    var properties = MessageProperties()
    var body: [UInt8] = []
    var bodySize = 0
  }

  init(generation: UInt64, limits: HeaderLimits) {
    self.generation = generation
    self.limits = limits
  }

  /// What the frame completes, if anything. Throws where the server closed the channel or the connection.
  mutating func take(_ frame: amqp_frame_t) throws(AMQPError) -> Incoming? {
    switch Int32(frame.frame_type) {
    case AMQP_FRAME_METHOD: return try method(frame.payload.method)
    case AMQP_FRAME_HEADER:
      guard content != nil, let decoded = frame.payload.properties.decoded else { return nil }
      content!.properties = content!.decoder.properties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
      content!.bodySize = Int(frame.payload.properties.body_size)
      content!.body.reserveCapacity(content!.bodySize)
      return finished()
    case AMQP_FRAME_BODY:
      let fragment = frame.payload.body_fragment
      content?.body.append(contentsOf: UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.len))
      return finished()
    default: return nil
    }
  }

  private mutating func method(_ method: amqp_method_t) throws(AMQPError) -> Incoming? {
    guard let decoded = method.decoded else { return nil }
    switch method.id {
    case Method.basicDeliver:
      let deliver = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
      var decoder = PropertyDecoder(limits: limits)
      let (exchange, key) = (decoder.text(deliver.exchange), decoder.text(deliver.routing_key))
      content = Content(
        kind: .delivery(tag: deliver.delivery_tag, redelivered: deliver.redelivered != 0), exchange: exchange, routingKey: key, decoder: decoder)
    case Method.basicReturn:
      let returned = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
      var decoder = PropertyDecoder(limits: limits)
      let (exchange, key) = (decoder.text(returned.exchange), decoder.text(returned.routing_key))
      content = Content(
        kind: .returned(code: Int(returned.reply_code), text: text(returned.reply_text)), exchange: exchange, routingKey: key, decoder: decoder)
    case Method.basicAck:
      let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
      return .ack(tag: ack.delivery_tag, multiple: ack.multiple != 0)
    case Method.basicNack:
      let nack = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
      return .nack(tag: nack.delivery_tag, multiple: nack.multiple != 0)
    case Method.basicCancel: return .cancelled
    case Method.connectionBlocked: return .blocked(text(decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason))
    case Method.connectionUnblocked: return .unblocked
    case Method.channelClose:
      let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
      throw AMQPError(.channelClosed(Int(close.reply_code)), "RabbitMQ closed the channel: \(text(close.reply_text))")
    case Method.connectionClose:
      let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
      throw AMQPError(.connectionClosed(Int(close.reply_code)), "RabbitMQ closed the connection: \(text(close.reply_text))")
    default: break
    }
    return nil
  }

  private mutating func finished() -> Incoming? {
    guard let content, content.body.count >= content.bodySize else { return nil }
    self.content = nil
    switch content.kind {
    case .delivery(let tag, let redelivered):
      return .delivery(
        Delivery(
          tag: tag, generation: generation, redelivered: redelivered, exchange: content.exchange, routingKey: content.routingKey,
          properties: content.properties, body: content.body, headersExceedLimits: content.decoder.headersExceedLimits,
          hasInvalidText: content.decoder.hasInvalidText))
    case .returned(let code, let text):
      return .returned(code: code, text: text, exchange: content.exchange, routingKey: content.routingKey, messageID: content.properties.messageID)
    }
  }
}
