import CLinux
import CRabbitMQ
import ClientRuntime
import Glibc

/// One connection with one channel, confined to the thread that made it.
///
/// One channel only: waiting for a frame on one channel makes librabbitmq drop those of others.
final class AMQPConnection {
  static let channel: amqp_channel_t = 1
  /// librabbitmq 0.11 turns 0 into 4,096, which RabbitMQ refuses from 4.1 on.
  private static let frameMax: Int32 = 131_072

  let handle: amqp_connection_state_t
  /// Product and version, as the server tells them, and where it is.
  private(set) var server = "RabbitMQ"
  let socket: Int32
  /// Nil where nothing is encrypted.
  let tls: TLSSession?

  /// Connects to one of the configuration's hosts, within its connect timeout and before the deadline.
  init(_ configuration: ConnectionConfiguration, host: ConnectionConfiguration.Host, deadline: Deadline? = nil) throws(AMQPError) {
    let own = Deadline.after(configuration.connectTimeout)
    let limit = deadline.map { min($0, own) } ?? own
    guard let handle = amqp_new_connection() else { throw AMQPError(.connection, "out of memory") }
    do throws(AMQPError) {
      (socket, tls) = try Self.open(handle, configuration.tls, host, limit)
    } catch {
      amqp_destroy_connection(handle)
      throw error
    }
    // From here on `deinit` gives the handle back, also where a later line throws.
    self.handle = handle
    try logIn(configuration, place: host.place, limit)
    limitCalls(to: limit.remaining)
    amqp_channel_open(handle, Self.channel)
    try check("opening a channel at \(host.place)")
    limitCalls(to: configuration.connectTimeout)
    tls?.isLoggedIn = true
    server = "\(serverName())\(tls.map { " (\($0.description))" } ?? "") at \(host.place)"
  }

  /// How long, in milliseconds, written bytes may find no room or no answer at the other end.
  static let unreadLimit: UInt32 = 15_000

  static func limitUnread(_ socket: Int32, to milliseconds: UInt32) {
    var milliseconds = milliseconds
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, 4)
  }

  /// A server that blocks publishers reads nothing of them for as long as that takes, and is not dead: its heartbeats go on.
  func expectUnread(_ expected: Bool) { Self.limitUnread(socket, to: expected ? 0 : Self.unreadLimit) }

  private func logIn(_ configuration: ConnectionConfiguration, place: String, _ limit: Deadline) throws(AMQPError) {
    var timeout = timeval(limit.remaining)
    amqp_set_handshake_timeout(handle, &timeout)
    let arena = Arena()
    var properties = try arena.table([
      Header(name: "connection_name", value: .string(configuration.name)),
      Header(
        name: "capabilities",
        value: .table([
          Header(name: "consumer_cancel_notify", value: .bool(true)), Header(name: "connection.blocked", value: .bool(true)),
          Header(name: "publisher_confirms", value: .bool(true)), Header(name: "basic.nack", value: .bool(true)),
          Header(name: "authentication_failure_close", value: .bool(true)),
        ])),
    ])
    let login = login_plain(
      handle, configuration.virtualHost, 16, Self.frameMax, Int32(configuration.heartbeat.components.seconds), &properties, configuration.user,
      configuration.password)
    let action = "logging in to RabbitMQ at \(place) as \(configuration.user) on virtual host \(configuration.virtualHost)"
    try check(login, action, refused: true)
  }

  deinit {
    // Without a goodbye on the wire: where one is wanted, `close` was called. A broken socket must not make this wait.
    amqp_destroy_connection(handle)
  }

  /// Says goodbye; unsettled deliveries go back to their queue. A server that does not read is left without.
  func close() {
    // The library has closed the socket of a call that timed out.
    guard amqp_get_sockfd(handle) == socket, ClientRuntime.poll(socket: socket, wantsWrite: true, wakeup: nil, until: .after(.seconds(1))).socketWritable else {
      return
    }
    _ = amqp_connection_close(handle, AMQP_REPLY_SUCCESS)
  }

  /// The longest that each later call of the library waits for its answer.
  func limitCalls(to duration: Duration) {
    var timeout = timeval(duration)
    amqp_set_rpc_timeout(handle, &timeout)
  }

  /// From here on the library neither sends heartbeats nor misses them: who writes to the socket itself must not find one of its frames
  /// inside his own. Returns the interval agreed upon, none where there are to be no heartbeats.
  func takeOverHeartbeats() -> Duration? {
    let seconds = amqp_get_heartbeat(handle)
    amqp_tune_connection(handle, amqp_get_channel_max(handle), amqp_get_frame_max(handle), 0)
    return seconds > 0 ? .seconds(Int(seconds)) : nil
  }

  /// Waits until nothing is left to write, so that the library may send again.
  func drain(_ outgoing: OutgoingFrames) throws(AMQPError) {
    let deadline = Deadline.after(.seconds(5))
    while true {
      try outgoing.flush()
      // The library would wait without end for a socket that takes nothing.
      if ClientRuntime.poll(socket: socket, wantsWrite: true, wakeup: nil, until: deadline).socketWritable {
        if outgoing.isEmpty { return }
      } else if deadline.hasPassed {
        throw AMQPError(.timeout, "RabbitMQ does not read")
      }
    }
  }

  /// Puts a fresh channel in the place of the old one.
  func reopenChannel(closedByServer: Bool) throws(AMQPError) {
    if closedByServer {
      var ok = amqp_channel_close_ok_t()
      try checkSent(amqp_send_method(handle, Self.channel, Method.channelCloseOk, &ok), "closing the channel")
    } else {
      try check(amqp_channel_close(handle, Self.channel, AMQP_REPLY_SUCCESS), "closing the channel")
    }
    amqp_channel_open(handle, Self.channel)
    try check("opening a channel")
  }

  /// Throws what the last call of the library that waits for an answer ended in.
  func check(_ action: String) throws(AMQPError) { try check(amqp_get_rpc_reply(handle), action) }

  private func check(_ reply: amqp_rpc_reply_t, _ action: String, refused: Bool = false) throws(AMQPError) {
    switch reply.reply_type {
    case AMQP_RESPONSE_NORMAL: return
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      if reply.reply.id == Method.channelClose, let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_channel_close_t.self).pointee {
        throw AMQPError(.channelClosed(Int(close.reply_code)), "\(action): \(text(close.reply_text))")
      }
      if reply.reply.id == Method.connectionClose, let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_connection_close_t.self).pointee {
        throw AMQPError(refused ? .refused : .connectionClosed(Int(close.reply_code)), "\(action): \(text(close.reply_text))")
      }
      throw AMQPError(.connection, "\(action): the server answered with method \(reply.reply.id)")
    default:
      let timedOut = reply.library_error == AMQP_STATUS_TIMEOUT.rawValue
      // A server that refuses a login may just close the socket.
      let code: AMQPError.Code = timedOut ? .timeout : refused && reply.library_error == AMQP_STATUS_CONNECTION_CLOSED.rawValue ? .refused : .connection
      throw AMQPError(code, "\(action): \(reason(reply.library_error))")
    }
  }

  func checkSent(_ status: Int32, _ action: String) throws(AMQPError) {
    if status != AMQP_STATUS_OK.rawValue { throw AMQPError(.connection, "\(action): \(reason(status))") }
  }

  /// What a status of the library means, directly after the call that returned it.
  private func reason(_ status: Int32) -> String {
    guard let tls, status == AMQP_STATUS_SSL_ERROR.rawValue else { return errorText(status) }
    return tls.failure()
  }

  /// Whether the library holds frames or bytes that `poll` on the socket would not tell of.
  var hasBuffered: Bool { amqp_frames_enqueued(handle) != 0 || amqp_data_in_buffer(handle) != 0 || tls?.hasPending == true }

  /// Gives the library's memory back where nothing points into it any more.
  func releaseBuffers() { amqp_maybe_release_buffers(handle) }

  /// The next frame that is there already; nil where there is none.
  func nextFrame(_ frame: inout amqp_frame_t) throws(AMQPError) -> Bool {
    var none = timeval()
    let status = amqp_simple_wait_frame_noblock(handle, &frame, &none)
    if status == AMQP_STATUS_OK.rawValue { return true }
    if status == AMQP_STATUS_TIMEOUT.rawValue { return false }
    throw AMQPError(.connection, "reading from RabbitMQ: \(reason(status))")
  }

  private func serverName() -> String {
    guard let table = amqp_get_server_properties(handle)?.pointee else { return "RabbitMQ" }
    var decoder = PropertyDecoder(limits: HeaderLimits())
    var (product, version) = ("RabbitMQ", "")
    for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) where entry.value.kind == UInt8(ascii: "S") {
      switch decoder.text(entry.key) {
      case "product": product = decoder.text(entry.value.value.bytes)
      case "version": version = decoder.text(entry.value.value.bytes)
      default: break
      }
    }
    return "\(product) \(version)"
  }
}

/// Methods by class and number, as they come in frames.
enum Method {
  static let connectionClose: amqp_method_number_t = 0x000A_0032
  static let connectionBlocked: amqp_method_number_t = 0x000A_003C
  static let connectionUnblocked: amqp_method_number_t = 0x000A_003D
  static let channelClose: amqp_method_number_t = 0x0014_0028
  static let channelCloseOk: amqp_method_number_t = 0x0014_0029
  static let basicCancel: amqp_method_number_t = 0x003C_001E
  static let basicPublish: amqp_method_number_t = 0x003C_0028
  static let basicReturn: amqp_method_number_t = 0x003C_0032
  static let basicDeliver: amqp_method_number_t = 0x003C_003C
  static let basicAck: amqp_method_number_t = 0x003C_0050
  static let basicNack: amqp_method_number_t = 0x003C_0078
}

func errorText(_ status: Int32) -> String { String(cString: amqp_error_string2(status)) }

func text(_ bytes: amqp_bytes_t) -> String { String(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self) }

extension timeval {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
  }
}
